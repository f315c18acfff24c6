//! The servers in this process, with clients on raw sockets.

use std::time::Duration;

use proptest::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::timeout;

use super::server::Limits;
use crate::core::info::Extent;
use crate::core::states::Level;

#[path = "bench_tests.rs"]
mod bench_tests;
use bench_tests::{Fixture, body, call, post, run};

#[path = "metrics_tests.rs"]
mod metrics_tests;

use super::seats::Places;

const EMPTY_ARRAY: &str = "<value><array><data>\n</data></array></value>";

#[test]
fn calls_are_answered_and_the_connection_kept() {
    run(async {
        let fixture = Fixture::plain();
        let mut client = fixture.client().await;
        for _ in 0..2 {
            client.send(call("test.echo")).await;
            let answer = client.answer().await;
            assert_eq!(answer.status, 200);
            assert!(answer.body.contains(EMPTY_ARRAY));
            assert_eq!(answer.header("Content-Type"), Some("text/xml"));
            assert!(answer.header("Server").is_some() && answer.header("Date").is_some());
            assert_eq!(answer.header("Connection"), None);
        }
        client.send(call("test.fault")).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains("<value><int>10</int></value>"));
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    run(async {
        let fixture = Fixture::plain();
        let mut client = fixture.client().await;
        let requests = [
            call("test.echo"),
            post("1.1", "", "junk"),
            "GET /nope HTTP/1.1\r\n\r\n".to_string(),
            "POST /nope HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc".to_string(),
            call("test.fault"),
        ];
        client.send(requests.concat()).await;
        let mut statuses = Vec::new();
        for _ in 0..requests.len() {
            statuses.push(client.answer().await.status);
        }
        assert_eq!(statuses, [200, 400, 404, 400, 200]);
    });
}

#[test]
fn chunked_requests_are_accepted() {
    run(async {
        let fixture = Fixture::plain();
        let body = body("test.echo");
        let (first, second) = body.split_at(10);
        let answer = fixture
            .ask(format!(
                "POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n\
                 0\r\n\r\n",
                first.len(),
                second.len()
            ))
            .await;
        assert_eq!(answer.status, 200);
    });
}

#[test]
fn persistence_by_version_and_header() {
    run(async {
        let fixture = Fixture::plain();
        for (version, extra, connection, closed) in [
            ("1.0", "", None, true),
            ("1.0", "Connection: Keep-Alive\r\n", Some("Keep-Alive"), false),
            ("1.1", "Connection: close\r\n", Some("close"), true),
        ] {
            let mut client = fixture.client().await;
            client.send(post(version, extra, &body("test.echo"))).await;
            let answer = client.answer().await;
            assert!(answer.head.starts_with(&format!("HTTP/{version} 200 OK\r\n")));
            assert_eq!(answer.header("Connection"), connection, "{version} {extra}");
            if closed {
                assert!(client.is_closed().await);
            } else {
                client.send(call("test.echo")).await;
                assert_eq!(client.answer().await.status, 200);
            }
        }
    });
}

#[test]
fn refusals_have_the_references_codes_and_keep_the_connection() {
    run(async {
        let fixture = Fixture::plain();
        for (request, status) in [
            ("POST /RPC2 HTTP/1.1\r\n\r\n", 411),
            ("POST /RPC2 HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400),
            ("GET /RPC2 HTTP/1.1\r\n\r\n", 400),
            ("HEAD /RPC2 HTTP/1.1\r\n\r\n", 400),
            ("POST /rpc2 HTTP/1.1\r\n\r\n", 400),
            ("GET /index.html/x HTTP/1.1\r\n\r\n", 404),
            ("HEAD /index.html HTTP/1.1\r\n\r\n", 404),
            ("POST /scripts/supervisor.js HTTP/1.1\r\n\r\n", 400),
            ("GET /images/../images/icon.png HTTP/1.1\r\n\r\n", 404),
            ("HEAD / HTTP/1.1\r\n\r\n", 404),
            ("PUT / HTTP/1.1\r\n\r\n", 400),
            ("DELETE /x HTTP/1.1\r\n\r\n", 400),
            ("OPTIONS * HTTP/1.1\r\n\r\n", 400),
            ("GET /logtail HTTP/1.1\r\n\r\n", 404),
            ("GET /logtail/web HTTP/1.1\r\n\r\n", 404),
            ("POST /logtail/web HTTP/1.1\r\n\r\n", 400),
            ("HEAD /mainlogtail HTTP/1.1\r\n\r\n", 400),
            ("GET /mainlogtailing HTTP/1.1\r\n\r\n", 404),
        ] {
            let mut client = fixture.client().await;
            client.send(request).await;
            let answer = if request.starts_with("HEAD") {
                client.bodiless_answer().await
            } else {
                client.answer().await
            };
            assert_eq!(answer.status, status, "{request}");
            assert_eq!(answer.header("Content-Type"), Some("text/html"));
            client.send(call("test.echo")).await;
            assert_eq!(client.answer().await.status, 200, "after {request}");
        }
        assert_eq!(
            fixture.house.calls.borrow().iter().filter(|call| *call == "web stdout").count(),
            1
        );
    });
}

#[test]
fn the_error_page_is_the_references() {
    run(async {
        let fixture = Fixture::plain();
        let answer = fixture.ask("POST /RPC2 HTTP/1.1\r\n\r\n").await;
        assert!(answer.head.starts_with("HTTP/1.1 411 Length Required\r\n"));
        assert_eq!(
            answer.body,
            "<head>\r\n<title>Error response</title>\r\n</head>\r\n<body>\r\n<h1>Error response</h1>\r\n\
             <p>Error code 411.\r\n<p>Message: Length Required.\r\n</body>\r\n"
        );
    });
}

#[test]
fn the_path_matches_by_prefix_after_decoding() {
    run(async {
        let fixture = Fixture::plain();
        for path in ["/RPC2foo?x=1", "/%52PC2", "/RPC2/a/b"] {
            let request = call("test.echo").replacen("/RPC2", path, 1);
            assert_eq!(fixture.ask(request).await.status, 200, "{path}");
        }
    });
}

#[test]
fn credentials_are_asked_for_before_anything_else() {
    run(async {
        let fixture = Fixture::new(Some(("user", "pass")), Level::Info, Limits::default());
        let mut client = fixture.client().await;
        client.send(call("test.echo")).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("Www-Authenticate"), Some("Basic realm=\"default\""));
        assert_eq!(answer.header("Connection"), Some("close"));
        assert!(client.is_closed().await);
        assert_eq!(fixture.ask("GET /nope HTTP/1.1\r\n\r\n").await.status, 401);
        for (value, status) in
            [("dXNlcjpwYXNz", 200), ("dXNlcjpubw==", 401), ("dXNlcg==", 401), ("YQ", 400)]
        {
            let extra = format!("Authorization: Basic {value}\r\n");
            let answer = fixture.ask(post("1.1", &extra, &body("test.echo"))).await;
            assert_eq!(answer.status, status, "{value}");
        }
        assert_eq!(*fixture.house.calls.borrow(), ["test.echo"]);
    });
}

#[test]
fn oversized_requests_are_refused_and_the_refusal_arrives() {
    run(async {
        let fixture = Fixture::plain();
        let body = vec![b'x'; 9 << 20];
        let mut announced =
            format!("POST /RPC2 HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
        // Less than what the server throws away on closing.
        announced.extend_from_slice(&body[..500_000]);
        let mut client = fixture.client().await;
        client.send(announced).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.header("Connection")), (413, Some("close")));
        assert!(client.is_closed().await);
        let mut chunked = b"POST /RPC2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        chunked.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
        chunked.extend_from_slice(&body[..(8 << 20) + 1]);
        assert_eq!(fixture.ask(chunked).await.status, 413);
        let head = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(100_000));
        assert_eq!(fixture.ask(head).await.status, 431);
    });
}

/// As many places for those who wait for their client.
fn quiet(places: usize) -> Limits {
    let places = Places { quiet: places, ..Places::default() };
    Limits { places, ..Limits::default() }
}

#[test]
fn slow_and_silent_clients_stay_until_their_places_are_needed() {
    run(async {
        let fixture = Fixture::new(None, Level::Info, quiet(4));
        let mut slow = Vec::new();
        for start in [
            "",
            "POST /RPC2 HT",
            "POST /RPC2 HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc",
            "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc",
        ] {
            let mut client = fixture.client().await;
            client.send(start).await;
            slow.push(client);
        }
        // Who waits for the house is not among them, however long.
        let mut waits = fixture.client().await;
        waits.send(call("test.hang")).await;
        fixture.house.until(|house| house.calls.borrow().len() == 1).await;
        assert!(slow[0].is_closed().await, "it was there first, and waited while the call came in");
        let mut last = fixture.client().await;
        last.send(call("test.echo")).await;
        assert_eq!(last.answer().await.status, 200);
        let quiet = timeout(Duration::from_millis(200), slow[3].more()).await;
        assert!(quiet.is_err(), "nobody needed that place");
        assert_eq!(*fixture.house.hangups.borrow(), 0);
    });
}

#[test]
fn a_stranger_leaves_before_somebody_who_is_known() {
    run(async {
        let fixture = Fixture::new(Some(("user", "pass")), Level::Info, quiet(2));
        let mut known = fixture.client().await;
        let asked = post("1.1", "Authorization: Basic dXNlcjpwYXNz\r\n", &body("test.echo"));
        known.send(&asked).await;
        assert_eq!(known.answer().await.status, 200);
        for _ in 0..5 {
            let mut stranger = fixture.client().await;
            let next = fixture.client().await;
            assert!(stranger.is_closed().await);
            drop(next);
        }
        known.send(&asked).await;
        assert_eq!(known.answer().await.status, 200);
    });
}

#[test]
fn calls_that_wait_take_no_place_that_others_need() {
    run(async {
        let fixture = Fixture::new(None, Level::Info, quiet(1));
        let mut waiting = Vec::new();
        for number in 1..=20 {
            let mut client = fixture.client().await;
            client.send(call("test.hang")).await;
            fixture.house.until(|house| house.calls.borrow().len() == number).await;
            waiting.push(client);
        }
        assert_eq!(fixture.ask(call("test.echo")).await.status, 200);
        assert_eq!(*fixture.house.hangups.borrow(), 0);
    });
}

#[test]
fn strangers_leave_descriptors_to_the_programs() {
    run(async {
        let places = Places { descriptors: 300, ..Places::default() };
        let limits = Limits { places, ..Limits::default() };
        let fixture = Fixture::new(Some(("user", "pass")), Level::Info, limits);
        let needs = |descriptors| Extent { descriptors, ..Extent::default() };
        fixture.house.extent.set(needs(200));
        // What is left of 300 when programs and the daemon itself have theirs.
        let mut strangers = Vec::new();
        for _ in 0..300 - 200 - 64 {
            strangers.push(fixture.client().await);
        }
        let asked = post("1.1", "Authorization: Basic dXNlcjpwYXNz\r\n", &body("test.echo"));
        let mut known = fixture.client().await;
        known.send(&asked).await;
        assert_eq!(known.answer().await.status, 200);
        assert!(strangers[0].is_closed().await);
        let quiet = timeout(Duration::from_millis(100), strangers[1].more()).await;
        assert!(quiet.is_err());
        // Programs that were added: the next one makes room for more than itself.
        fixture.house.extent.set(needs(210));
        assert_eq!(fixture.ask(&asked).await.status, 200);
        for client in &mut strangers[1..10] {
            assert!(client.is_closed().await);
        }
        known.send(&asked).await;
        assert_eq!(known.answer().await.status, 200);
    });
}

#[test]
fn the_last_descriptors_are_not_for_connections() {
    run(async {
        let places = Places { descriptors: 200, ..Places::default() };
        let fixture = Fixture::new(None, Level::Info, Limits { places, ..Limits::default() });
        let mut clients = Vec::new();
        // This process has the other ends open, too.
        for _ in 0..100 {
            let mut client = fixture.client().await;
            client.send(call("test.echo")).await;
            assert_eq!(client.answer().await.status, 200);
            clients.push(client);
        }
        assert!(clients[0].is_closed().await);
    });
}

#[test]
fn where_programs_have_all_descriptors_a_few_come_in() {
    run(async {
        let places = Places { descriptors: 1, ..Places::default() };
        let fixture = Fixture::new(None, Level::Info, Limits { places, ..Limits::default() });
        fixture.house.extent.set(Extent { descriptors: 5000, ..Extent::default() });
        let mut first = fixture.client().await;
        for _ in 0..2 {
            first.send(call("test.echo")).await;
            assert_eq!(first.answer().await.status, 200);
            assert_eq!(fixture.ask(call("test.echo")).await.status, 200);
        }
    });
}

#[test]
fn a_client_that_goes_away_withdraws_its_call() {
    run(async {
        let fixture = Fixture::plain();
        let mut client = fixture.client().await;
        client.send(call("test.hang")).await;
        fixture.house.until(|house| house.calls.borrow().len() == 1).await;
        assert_eq!(*fixture.house.hangups.borrow(), 0);
        drop(client);
        fixture.house.until(|house| *house.hangups.borrow() == 1).await;
    });
}

#[test]
fn a_client_that_only_stops_sending_gets_its_answer() {
    run(async {
        let mut limits = Limits::default();
        limits.timeouts.half_close = Duration::from_secs(20);
        let fixture = Fixture::new(None, Level::Info, limits);
        let mut client = fixture.client().await;
        client.send(call("test.late")).await;
        client.stream.shutdown().await.unwrap();
        assert_eq!(client.answer().await.status, 200);
        assert!(client.is_closed().await);
    });
}

#[test]
fn a_client_that_never_reads_hurts_only_itself() {
    run(async {
        let fixture = Fixture::new(None, Level::Info, quiet(1));
        let mut greedy = fixture.client().await;
        greedy.send(call("test.big").repeat(50)).await;
        fixture.house.until(|house| !house.calls.borrow().is_empty()).await;
        // There is one place only, so this is answered when the other is given up.
        assert_eq!(fixture.ask(call("test.echo")).await.status, 200);
        assert!(fixture.house.calls.borrow().len() < 50);
    });
}

#[test]
fn the_connection_waiting_longest_makes_room() {
    run(async {
        let fixture = Fixture::new(None, Level::Info, quiet(1));
        let mut busy = fixture.client().await;
        busy.send(call("test.hang")).await;
        fixture.house.until(|house| house.calls.borrow().len() == 1).await;
        let mut idle = fixture.client().await;
        idle.send(call("test.echo")).await;
        idle.answer().await;
        assert_eq!(fixture.ask(call("test.echo")).await.status, 200);
        assert!(idle.is_closed().await);
        assert_eq!(*fixture.house.hangups.borrow(), 0);
    });
}

#[test]
fn finishing_closes_idle_connections_and_cuts_the_rest_off() {
    run(async {
        let fixture = Fixture::plain();
        let mut idle = fixture.client().await;
        idle.send(call("test.echo")).await;
        idle.answer().await;
        let mut busy = fixture.client().await;
        busy.send(call("test.hang")).await;
        fixture.house.until(|house| house.calls.borrow().len() == 2).await;
        let Fixture { servers, house, address } = fixture;
        let finished = spawn_local(servers.finish(Duration::from_millis(100)));
        assert!(idle.is_closed().await);
        drop(idle);
        finished.await.unwrap();
        assert!(busy.is_closed().await);
        house.until(|house| *house.hangups.borrow() == 1).await;
        assert!(TcpStream::connect(address).await.is_err());
    });
}

#[test]
fn hostile_documents_are_a_400() {
    run(async {
        let fixture = Fixture::plain();
        let mut client = fixture.client().await;
        for document in [
            "<a>".repeat(100_000),
            "<!DOCTYPE a [<!ENTITY b \"bb\">]><a>&b;</a>".to_string(),
            "\u{0}".to_string(),
        ] {
            client.send(post("1.1", "", &document)).await;
            assert_eq!(client.answer().await.status, 400);
        }
        let log = fixture.house.log.borrow();
        assert_eq!(
            log[2],
            (Level::Error, "XML-RPC request data '\\x00' is invalid: unmarshallable".to_string())
        );
        assert!(log[0].1.len() < 2000);
    });
}

#[test]
fn traffic_is_logged_at_trace_only() {
    run(async {
        let quiet = Fixture::plain();
        quiet.ask(call("test.echo")).await;
        quiet.ask(post("1.1", "", "<methodCall/>")).await;
        let data = "XML-RPC request data '<methodCall/>' is invalid: no method name";
        assert_eq!(*quiet.house.log.borrow(), [(Level::Error, data.to_string())]);
        let traced = Fixture::new(None, Level::Trace, Limits::default());
        traced.ask(call("test.echo")).await;
        traced.ask(call("test.fault")).await;
        traced.house.until(|house| house.log.borrow().len() == 6).await;
        let log = traced.house.log.borrow();
        let lines: Vec<&str> = log.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(lines[0], "XML-RPC method called: test.echo()");
        assert_eq!(lines[1], "XML-RPC method test.echo() returned successfully");
        assert!(lines[2].starts_with("127.0.0.1:") && lines[2].contains(" - - ["), "{}", lines[2]);
        assert!(lines[2].contains("] \"POST /RPC2 HTTP/1.1\" 200 "), "{}", lines[2]);
        assert_eq!(lines[4], "XML-RPC method test.fault() returned fault: [10] BAD_NAME: x");
        assert!(log.iter().all(|(level, _)| *level == Level::Trace));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_bytes_bring_the_server_down(
        start in prop::sample::select(vec!["", "POST /RPC2 HTTP/1.1\r\nContent-Length: 50\r\n\r\n", "GET /logtail/", "GET ", "GET /?", "GET /api/v1/logs/", "GET /tail.html?", "POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\n", "GET /?action=refresh HTTP/1.1\r\nHost: "]),
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        run(async {
            let fixture = Fixture::new(None, Level::Info, Limits::default());
            let mut client = fixture.client().await;
            client.send(start).await;
            client.send(&bytes).await;
            let _ = client.stream.shutdown().await; // it may have been closed already
            while client.more().await > 0 {}
            let answers = String::from_utf8_lossy(&client.buffer).into_owned();
            assert!(!answers.contains("HTTP/1.1 50"), "{answers}");
            assert_eq!(fixture.ask(call("test.echo")).await.status, 200);
        });
    }
}
