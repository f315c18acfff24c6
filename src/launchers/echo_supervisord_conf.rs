//! `echo_supervisord_conf` where there are no links: hands over to the `supervisord` beside it.

mod launch;

fn main() -> std::process::ExitCode {
    launch::sibling("echo_supervisord_conf", "echo_supervisord_conf")
}
