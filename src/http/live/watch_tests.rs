//! What listeners are told, and how little is done for it. The clock of these tests moves when everybody waits.

use std::cell::Cell;

use tokio::task::{JoinSet, LocalSet, spawn_local};

use super::*;
use crate::core::overview::About;
use crate::core::states::{Mood, ProcessState};
use crate::daemon::handle::{Inbox, Request};
use crate::http::live::Live;

/// A house of programs, and how often it was looked at.
struct House {
    overview: RefCell<Overview>,
    looks: Cell<usize>,
    /// Called when somebody has looked, before the answer is there.
    looked: RefCell<Option<Box<dyn FnOnce()>>>,
    changes: tokio::sync::watch::Sender<u64>,
}

impl House {
    /// Lets some things happen that people are shown.
    fn change(&self, change: impl FnOnce(&mut Overview)) {
        change(&mut self.overview.borrow_mut());
        self.changes.send_modify(|changes| *changes += 1);
    }

    async fn serve(self: Rc<House>, mut requests: tokio::sync::mpsc::UnboundedReceiver<Request>) {
        while let Some(request) = requests.recv().await {
            let Request::Overview(reply) = request else { panic!("{request:?}") };
            self.looks.set(self.looks.get() + 1);
            let overview = self.overview.borrow().clone();
            if let Some(looked) = self.looked.take() {
                looked();
            }
            let _ = reply.send(overview);
        }
    }
}

struct Fixture {
    house: Rc<House>,
    handle: Handle,
    audience: Audience,
}

impl Fixture {
    fn listener(&self) -> Live {
        Live::new(&self.handle, &self.audience)
    }
}

fn process(name: &str, pid: Option<i32>) -> ProcessInfo {
    ProcessInfo {
        group: name.to_string(),
        name: name.to_string(),
        state: ProcessState::Running,
        description: String::new(),
        pid,
        start_secs: 1,
        stop_secs: 0,
        now_secs: 2,
        exit_status: None,
        spawn_error: String::new(),
        stdout_logfile: None,
        stderr_logfile: None,
    }
}

/// A test about programs `a`, `b`, `c` and `d`, of which `d` has the pid of the test itself.
fn with_a_house<F: Future<Output = ()>>(test: impl FnOnce(Fixture) -> F) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    LocalSet::new().block_on(&runtime.unwrap(), async {
        let (handle, Inbox { requests, changes, .. }) = Handle::new();
        let mut processes: Vec<_> = ["a", "b", "c"].map(|name| process(name, None)).into();
        processes.push(process("d", Some(std::process::id().cast_signed())));
        let about = About { mood: Mood::Running, identifier: "house".to_string() };
        let house = Rc::new(House {
            overview: RefCell::new(Overview { about, pid: 1, now_millis: 2000, processes }),
            looks: Cell::new(0),
            looked: RefCell::new(None),
            changes,
        });
        spawn_local(house.clone().serve(requests));
        test(Fixture { house, handle, audience: Audience::default() }).await;
    });
}

/// The next event that tells of states, in its parts.
async fn status(live: &mut Live) -> (String, Bytes) {
    loop {
        let beginning = String::from_utf8(live.next().await.unwrap().to_vec()).unwrap();
        if beginning.starts_with("event: status\n") {
            return (beginning, live.next().await.unwrap());
        }
        assert_ne!(beginning, ":\n\n", "nothing is told");
    }
}

/// The names of the processes an event tells of, and of those that are gone.
fn names(text: &Bytes) -> (Vec<String>, String) {
    let text = std::str::from_utf8(text).unwrap();
    let (processes, removed) = text.split_once("], \"removed\": ").unwrap();
    let name = |part: &str| part.split('"').next().unwrap().to_string();
    let names = processes.split("\"namespec\": \"").skip(1).map(name).collect();
    (names, removed.trim_end().trim_end_matches('}').to_string())
}

/// What every listener hears next, if all wait at the same time.
async fn all_hear(listeners: Vec<Live>) -> (Vec<Live>, Vec<Bytes>) {
    let mut waiting = JoinSet::new();
    for mut live in listeners {
        waiting.spawn_local(async move {
            let (_, text) = status(&mut live).await;
            (live, text)
        });
    }
    waiting.join_all().await.into_iter().unzip()
}

#[test]
fn many_listeners_cost_what_one_does() {
    with_a_house(|fixture| async move {
        let house = &fixture.house;
        let listeners = (0..100).map(|_| fixture.listener()).collect();
        let (listeners, texts) = all_hear(listeners).await;
        assert_eq!(house.looks.get(), 1);
        assert_eq!(names(&texts[0]).0, ["a", "b", "c", "d"]);
        assert!(texts.iter().all(|text| text.as_ptr() == texts[0].as_ptr()), "a copy for each");
        // Most have been told what things use since, and some have come later than others.
        tokio::time::advance(FRESH).await;
        let (late, _) = all_hear(vec![fixture.listener()]).await;
        assert_eq!(house.looks.get(), 2);
        let waiting = spawn_local(all_hear(listeners.into_iter().chain(late).collect()));
        tokio::time::sleep(2 * Duration::from_millis(USAGE_INTERVAL_MILLIS)).await;
        house.change(|overview| overview.processes[1].state = ProcessState::Exited);
        let (_, texts) = waiting.await.unwrap();
        assert_eq!(house.looks.get(), 3);
        assert_eq!(names(&texts[0]).0, ["b"]);
        assert!(texts.iter().all(|text| text.as_ptr() == texts[0].as_ptr()), "a copy for each");
    });
}

#[test]
fn what_is_new_is_told_and_nothing_else() {
    with_a_house(|fixture| async move {
        let (house, mut live) = (&fixture.house, fixture.listener());
        let (beginning, text) = status(&mut live).await;
        assert!(beginning.contains("\"complete\": true") && beginning.contains("\"RUNNING\""));
        assert!(text.ends_with(b"\"removed\": []}\n\n"), "{text:?}");
        let gone = || ["a", "c"].map(|name| process(name, None));
        house.change(|overview| {
            overview.processes.remove(0);
            overview.processes.remove(1);
            overview.processes[0].spawn_error = "x".to_string();
            overview.processes.push(process("e", None));
        });
        let (beginning, text) = status(&mut live).await;
        assert!(beginning.contains("\"complete\": false"));
        assert_eq!(names(&text), (vec!["b".into(), "e".into()], "[\"a\", \"c\"]".to_string()));
        house.change(|overview| overview.about.mood = Mood::Shutdown);
        let (beginning, text) = status(&mut live).await;
        assert!(beginning.contains("\"SHUTDOWN\""));
        assert_eq!(names(&text), (vec![], "[]".to_string()));
        // Growing older is nothing new. Neither is what was undone before anybody looked.
        house.change(|overview| {
            overview.processes.iter_mut().for_each(|info| info.description = "old".to_string());
        });
        house.change(|overview| overview.processes.extend(gone()));
        house.change(|overview| overview.processes.truncate(3));
        let quiet = async { while live.next().await.unwrap() != ":\n\n" {} };
        quiet.await;
        // Who comes now is told how old everything is.
        let (_, text) = status(&mut fixture.listener()).await;
        assert!(String::from_utf8_lossy(&text).contains("\"description\": \"old\""));
    });
}

#[test]
fn what_was_undone_is_told_to_those_who_heard_of_it() {
    with_a_house(|fixture| async move {
        let (house, mut one, mut other) = (&fixture.house, fixture.listener(), fixture.listener());
        status(&mut one).await;
        status(&mut other).await;
        for state in [ProcessState::Exited, ProcessState::Running] {
            house.change(|overview| overview.processes[0].state = state);
            assert_eq!(names(&status(&mut one).await.1).0, ["a"]);
        }
        // The other did not listen meanwhile.
        loop {
            let event = other.next().await.unwrap();
            assert!(!event.starts_with(b"event: status"), "{event:?}");
            if event == ":\n\n" {
                break;
            }
        }
        house.change(|overview| overview.processes[1].state = ProcessState::Exited);
        assert_eq!(names(&status(&mut other).await.1).0, ["b"]);
    });
}

#[test]
fn what_changes_while_it_is_looked_is_told_later() {
    with_a_house(|fixture| async move {
        let (house, mut live) = (Rc::clone(&fixture.house), fixture.listener());
        let change = Rc::clone(&house);
        house.looked.replace(Some(Box::new(move || {
            change.change(|overview| overview.processes[0].state = ProcessState::Fatal);
        })));
        assert_eq!(names(&status(&mut live).await.1).0.len(), 4);
        assert_eq!(names(&status(&mut live).await.1).0, ["a"]);
        // A newcomer may be shown what was seen just before, and hears of the rest at once.
        house.change(|overview| overview.processes[1].state = ProcessState::Fatal);
        let mut other = fixture.listener();
        assert_eq!(names(&status(&mut other).await.1).0.len(), 4);
        assert_eq!(house.looks.get(), 2);
        assert_eq!(names(&status(&mut other).await.1).0, ["b"]);
        assert_eq!(names(&status(&mut live).await.1).0, ["b"]);
        assert_eq!(house.looks.get(), 3);
    });
}

#[test]
fn nothing_is_kept_when_nobody_listens() {
    with_a_house(|fixture| async move {
        let (mut one, mut other) = (fixture.listener(), fixture.listener());
        status(&mut one).await;
        status(&mut other).await;
        let watch = Rc::clone(&one.watch);
        assert!(watch.latest.lock().await.snapshot.is_some());
        // A while after the last change, only what a listener must know is there.
        while one.next().await.unwrap() != ":\n\n" {}
        assert!(watch.latest.lock().await.snapshot.is_none());
        drop((one, watch));
        assert_eq!(fixture.audience.0.borrow().strong_count(), 1);
        drop(other);
        assert_eq!(fixture.audience.0.borrow().strong_count(), 0);
        status(&mut fixture.listener()).await;
    });
}

#[test]
fn figures_are_told_with_their_times() {
    let usage = |cpu_millis, measured| Usage { cpu_millis, memory_bytes: 5, measured };
    let processes = [("idle", 1), ("busy", 2), ("new", 3), ("gone", 4)].map(|(name, pid)| Known {
        namespec: name.into(),
        fingerprint: 0,
        pid: Some(pid),
    });
    let index = Rc::new(Index { supervisor: (String::new(), 1), processes: processes.into() });
    let told = |usage: Vec<(i32, Usage)>| Told {
        index: Rc::clone(&index),
        usage: usage.into_iter().collect(),
    };
    let before = told(vec![(1, usage(7, 100)), (2, usage(7, 101)), (4, usage(7, 102))]);
    let now = told(vec![(1, usage(7, 200)), (2, usage(9, 201)), (3, usage(8, 202))]);
    let event = String::from_utf8(usage_event(&before, &now).unwrap().to_vec()).unwrap();
    assert!(event.starts_with("event: usage\ndata: {\"now\": "), "{event}");
    let figures = "\"processes\": {\"busy\": [9, 5, 201, 101], \"new\": [8, 5, 202, null]}}\n\n";
    assert!(event.ends_with(figures), "{event}");
    assert_eq!(usage_event(&now, &now), None);
}

#[test]
fn what_processes_use_is_looked_at_once_for_all() {
    with_a_house(|fixture| async move {
        let (mut one, mut other) = (fixture.listener(), fixture.listener());
        status(&mut one).await;
        status(&mut other).await;
        let (told, _) = one.watch.usage(one.told.as_ref().unwrap()).await;
        let (same, _) = other.watch.usage(other.told.as_ref().unwrap()).await;
        assert!(Rc::ptr_eq(&told, &same));
        assert!(told.usage[&std::process::id().cast_signed()].memory_bytes > 0);
        let due = one.watch.usage_due();
        assert_eq!(due, other.watch.usage_due());
        tokio::time::sleep_until(due).await;
        let (later, _) = one.watch.usage(&told).await;
        assert!(!Rc::ptr_eq(&told, &later));
    });
}
