//! What is measured, done by a process of its own: `bench-client ROLE`.
#![forbid(unsafe_code)]

mod attack;
mod calls;
mod crowd;
mod pingpong;
mod program;
mod turns;
mod waits;

use std::env;
use std::path::Path;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["program"] => program::talk(),
        ["crowd", socket] => crowd::talk(Path::new(socket)),
        ["pong", socket] => pingpong::serve(Path::new(socket)),
        ["attack", kind, socket] => attack::run(kind, Path::new(socket)),
        _ => panic!("bench-client has no role {arguments:?}"),
    }
}
