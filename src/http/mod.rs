//! The HTTP servers: XML-RPC and log tails over TCP and Unix sockets, on the supervision thread.
//!
//! [`bind()`] opens the listeners while errors can still be told on the terminal; [`serve`] answers them from inside the
//! event loop. Everything a client asks for goes through the [`Handle`](crate::daemon::handle::Handle) into the house;
//! nothing here touches a file or a process. No request, however malformed, slow or endless, stalls another one,
//! grows a buffer beyond its bound, or ends in a 5xx answer.
//!
//! - `bind`: listeners, as the reference opens them
//! - `server`: accepting, who answers which path
//! - `seats`: how many connections there may be, and who leaves when others need the place
//! - `hub`: the memory they hold together
//! - `pace`: what a connection is doing, below HTTP
//! - `auth`, `hosts`: who may ask, and under which name; `rpc2`, `logtail`: one handler each
//! - `ui`: the web interface and the JSON behind it
//! - `body`: request bodies, bounded; `percent`: addresses, decoded and encoded
//! - `response`: bodies, headers, error pages, the access log

mod auth;
pub mod bind;
mod body;
mod hosts;
mod hub;
mod logtail;
mod pace;
mod percent;
mod response;
mod rpc2;
mod seats;
pub mod server;
mod ui;

pub use auth::requires_authentication;
pub use bind::{BindError, Bound, SocketName, bind};
pub use server::{Servers, serve};

#[cfg(test)]
mod tests;
