//! Writing to a child's standard input without waiting for the child.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use nix::errno::Errno;
use tokio::io::AsyncWrite;
use tokio::net::unix::pipe::Sender;
use tokio::task::JoinHandle;

use crate::core::effect::StdinError;

/// Most bytes queued for a child that does not read; as much as a generous `sendProcessStdin`.
pub(crate) const STDIN_QUEUE_BYTES: usize = 4 << 20;

/// The write end of a child's stdin. Dropping it closes the pipe.
#[derive(Debug)]
pub(crate) struct StdinPipe {
    shared: Rc<RefCell<State>>,
}

#[derive(Debug)]
struct State {
    /// `None` once the child closed its end.
    pipe: Option<Sender>,
    queue: Vec<u8>,
    /// Bytes at the start of `queue` that are written.
    written: usize,
    /// Writes the queue while there is one.
    writer: Option<JoinHandle<()>>,
}

impl StdinPipe {
    /// Takes the write end of a pipe; needs an event loop.
    ///
    /// # Errors
    /// When the descriptor is not the write end of a pipe or cannot be registered.
    pub(crate) fn new(pipe: OwnedFd) -> io::Result<StdinPipe> {
        let pipe = Some(Sender::from_owned_fd(pipe)?); // makes it non-blocking
        let state = State { pipe, queue: Vec::new(), written: 0, writer: None };
        Ok(StdinPipe { shared: Rc::new(RefCell::new(state)) })
    }

    /// Writes what fits now and queues the rest: all of it or, on error, nothing. Without a reader it is `Closed`
    /// (as `PInputDispatcher.flush` raises EPIPE); beyond [`STDIN_QUEUE_BYTES`] it is `Full`.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), StdinError> {
        self.write_within(STDIN_QUEUE_BYTES, bytes)
    }

    /// As [`StdinPipe::write`], but to a reader that is up to date the bytes may be as many as they are: an event is
    /// never too long for a listener.
    pub(crate) fn write_event(&self, event: &[u8]) -> Result<(), StdinError> {
        self.write_within(STDIN_QUEUE_BYTES.max(event.len()), event)
    }

    fn write_within(&self, limit: usize, bytes: &[u8]) -> Result<(), StdinError> {
        let mut state = self.shared.borrow_mut();
        if state.pipe.is_none() {
            return Err(StdinError::Closed);
        }
        let waiting = state.queue.len() - state.written;
        if waiting.saturating_add(bytes.len()) > limit {
            return Err(StdinError::Full);
        }
        let direct = if waiting == 0 { state.write_some(bytes) } else { 0 };
        state.compact();
        state.queue.extend_from_slice(&bytes[direct..]);
        if direct < bytes.len() {
            state.write_now();
        }
        if state.pipe.is_none() {
            return Err(StdinError::Closed);
        }
        if !state.queue.is_empty() && state.writer.is_none() {
            let shared = Rc::clone(&self.shared);
            state.writer = Some(tokio::task::spawn_local(write_queue(shared)));
        }
        Ok(())
    }
}

impl Drop for StdinPipe {
    fn drop(&mut self) {
        let mut state = self.shared.borrow_mut();
        if let Some(writer) = state.writer.take() {
            writer.abort();
        }
        state.close();
    }
}

impl State {
    fn close(&mut self) {
        self.pipe = None;
        self.queue = Vec::new();
        self.written = 0;
    }

    /// Frees the written part, before the queue grows.
    fn compact(&mut self) {
        self.queue.drain(..self.written);
        self.written = 0;
    }

    /// Counts written bytes; an empty queue holds no memory.
    fn advance(&mut self, length: usize) {
        self.written += length;
        if self.written >= self.queue.len() {
            self.queue = Vec::new();
            self.written = 0;
        }
    }

    /// Writes what the pipe takes of bytes that need not wait for others; how many that were.
    fn write_some(&mut self, bytes: &[u8]) -> usize {
        loop {
            let Some(pipe) = &self.pipe else { return 0 };
            match nix::unistd::write(pipe.as_fd(), bytes) {
                Ok(length) => return length,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return 0,
                Err(_) => self.close(),
            }
        }
    }

    /// Writes as much as the pipe takes, without asking the event loop.
    fn write_now(&mut self) {
        while let Some(pipe) = &self.pipe
            && !self.queue.is_empty()
        {
            match nix::unistd::write(pipe.as_fd(), &self.queue[self.written..]) {
                Ok(length) => self.advance(length),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return,
                Err(_) => self.close(),
            }
        }
    }
}

/// Writes the queue whenever the pipe takes bytes; ends when it is empty or the child closed its end.
async fn write_queue(shared: Rc<RefCell<State>>) {
    loop {
        let finished = poll_fn(|context| {
            let mut state = shared.borrow_mut();
            let State { pipe, queue, written, .. } = &mut *state;
            let (Some(pipe), false) = (pipe.as_mut(), queue.is_empty()) else {
                state.writer = None;
                return Poll::Ready(true);
            };
            match Pin::new(pipe).poll_write(context, &queue[*written..]) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(length)) => state.advance(length),
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Poll::Ready(Err(_)) => state.close(),
            }
            Poll::Ready(false)
        })
        .await;
        if finished {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use nix::fcntl::OFlag;
    use nix::unistd::pipe2;

    use super::*;
    use crate::daemon::disk::testing::block_on;

    fn child_stdin() -> (StdinPipe, std::fs::File) {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC).unwrap();
        (StdinPipe::new(writer).unwrap(), std::fs::File::from(reader))
    }

    #[test]
    fn small_writes_arrive_at_once() {
        block_on(async {
            let (stdin, mut child) = child_stdin();
            stdin.write(b"hello").unwrap();
            let mut buffer = [0; 16];
            assert_eq!(child.read(&mut buffer).unwrap(), 5);
            drop(stdin);
            assert_eq!(child.read(&mut buffer).unwrap(), 0);
        });
    }

    #[test]
    fn what_does_not_fit_is_queued_up_to_the_limit() {
        block_on(async {
            let (stdin, mut child) = child_stdin();
            let chunk: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 251) as u8).collect();
            let mut sent = Vec::new();
            while stdin.write(&chunk).is_ok() {
                sent.extend_from_slice(&chunk);
            }
            assert_eq!(stdin.write(&chunk), Err(StdinError::Full));
            assert_eq!(sent.len(), 4 << 20);
            let mut got = Vec::new();
            let mut buffer = vec![0; 1 << 16];
            while got.len() < sent.len() {
                let length = child.read(&mut buffer).unwrap();
                got.extend_from_slice(&buffer[..length]);
                // Let the writer refill the pipe before the next blocking read.
                let waiting = || sent.len() > got.len() && stdin.shared.borrow().writer.is_some();
                for _ in 0..100 {
                    if waiting() {
                        tokio::time::sleep(std::time::Duration::from_micros(10)).await;
                    }
                }
            }
            assert!(got == sent);
            stdin.write(b"again").unwrap();
        });
    }

    #[test]
    fn an_event_of_any_size_goes_to_a_reader_that_is_up_to_date() {
        block_on(async {
            let (stdin, _child) = child_stdin();
            let event = vec![b'e'; STDIN_QUEUE_BYTES + (1 << 20)];
            assert_eq!(stdin.write(&event), Err(StdinError::Full));
            stdin.write_event(&event).unwrap();
            assert_eq!(stdin.write_event(b"e"), Err(StdinError::Full));
        });
    }

    #[test]
    fn a_closed_end_is_reported_at_the_write_or_at_the_next() {
        block_on(async {
            let (stdin, child) = child_stdin();
            drop(child);
            assert_eq!(stdin.write(b"x"), Err(StdinError::Closed));
            assert_eq!(stdin.write(b"x"), Err(StdinError::Closed));

            let (stdin, child) = child_stdin();
            stdin.write(&vec![0; 1 << 20]).unwrap();
            drop(child);
            while stdin.shared.borrow().writer.is_some() {
                tokio::task::yield_now().await;
            }
            assert_eq!(stdin.write(b"x"), Err(StdinError::Closed));
        });
    }
}
