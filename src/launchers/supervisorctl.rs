//! `supervisorctl` where there are no links: hands over to the `supervisord` beside it.

mod launch;

fn main() -> std::process::ExitCode {
    launch::sibling("supervisorctl", "ctl")
}
