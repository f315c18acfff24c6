//! The HTTP servers: XML-RPC and log tails over TCP and Unix sockets, on the supervision thread.
//!
//! [`bind()`] opens the listeners while errors can still be told on the terminal; [`serve`] answers them from inside the
//! event loop. Everything a client asks for goes through the [`Handle`](crate::daemon::handle::Handle) into the house;
//! nothing here touches a file or a process. No request, however malformed, slow or endless, stalls another one,
//! grows a buffer beyond its bound, or ends in a 5xx answer.
//!
//! - `bind`: listeners, as the reference opens them
//! - `server`: accepting, who answers which path; `site`: what those who answer work with
//! - `rpc2`, `logtail`, `api`, `metrics`: one handler each; `ui`: the web interface
//! - `seats`: how many connections there may be, and who leaves when others need the place
//! - `hub`: the memory they hold together
//! - `pace`: what a connection is doing, below HTTP
//! - `auth`, `hosts`, `origin`: who may ask, under which name, and from where
//! - `form`, `body`: what a request asks for and carries; `percent`: addresses, decoded and encoded
//! - `response`: bodies, headers, error pages, the access log; `location`: where a browser is sent back to
//! - `live`: the streams of events; `objects`: what they and the JSON say

mod api;
mod auth;
mod bind;
mod body;
mod form;
mod hosts;
mod hub;
mod live;
mod location;
mod logtail;
mod metrics;
mod objects;
mod origin;
mod pace;
mod percent;
mod response;
mod rpc2;
mod seats;
mod server;
mod site;
mod ui;

pub(crate) use auth::requires_authentication;
pub use bind::bind;
pub(crate) use bind::{Bound, SocketName};
#[cfg(test)]
pub(crate) use server::Servers;
pub use server::serve;

#[cfg(test)]
mod tests;
