//! Thousands of contexts in one process, each on a connection of its own, each with a handle of some card.

use std::io::stdin;
use std::path::{Path, PathBuf};

use bench::statistics::median;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use scard_client::{Card, Context, Endpoint, Protocols, ReaderName, ShareMode};

use crate::pingpong::Ping;
use crate::program::timed;

/// The same five bytes as everywhere.
const COMMAND: [u8; 5] = [0x00, 0x01, 0x00, 0x00, 0x00];

/// Both sides of a connection may lie in this process's limits, and then some.
const SPARE_DESCRIPTORS: u64 = 64;

struct Crowd {
    endpoint: Endpoint,
    readers: Vec<ReaderName>,
    members: Vec<(Context, Card)>,
    pings: Vec<Ping>,
}

/// `most`: how many connections the process may have. `grow N`: so many contexts. `turns N`: in turn, so many
/// transmits in all; the median, in nanoseconds. `one N`: so many transmits of one of them. `ping SOCKET N TURNS
/// ASKED ANSWERED`: so many bare connections, in turn.
pub(crate) fn talk(socket: &Path) {
    let files = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, maximum: files.maximum });
    let mut crowd = Crowd {
        endpoint: Endpoint::at(socket),
        readers: Vec::new(),
        members: Vec::new(),
        pings: Vec::new(),
    };
    println!("ready");
    for line in stdin().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| -> usize { words[at].parse().expect("a number") };
        match words[0] {
            "most" => {
                let most =
                    files.maximum.map_or(u64::MAX, |most| most.saturating_sub(SPARE_DESCRIPTORS));
                println!("{most}");
            }
            "grow" => {
                crowd.grow(number(1));
                println!("ok");
            }
            "turns" => println!("{}", crowd.turns(number(1))),
            "one" => println!("{}", crowd.one(number(1))),
            "ping" => {
                let socket = PathBuf::from(words[1]);
                while crowd.pings.len() < number(2) {
                    crowd.pings.push(Ping::open(&socket, number(4), number(5), false));
                }
                println!("{}", crowd.ping_turns(number(3)));
            }
            word => panic!("a crowd cannot {word}"),
        }
    }
}

impl Crowd {
    fn grow(&mut self, contexts: usize) {
        while self.members.len() < contexts {
            let context = Context::establish_at(&self.endpoint).expect("there is room");
            if self.readers.is_empty() {
                self.readers = context.readers().expect("there are readers");
            }
            let reader = &self.readers[self.members.len() % self.readers.len()];
            let card = context.connect(reader.as_str(), ShareMode::Shared, Protocols::ANY);
            self.members.push((context, card.expect("there is room")));
        }
    }

    fn turns(&self, count: usize) -> f64 {
        let mut members = self.members.iter().cycle();
        middle(count, &mut || {
            let (_, card) = members.next().expect("there are some");
            card.transmit(&COMMAND).expect("the card answers");
        })
    }

    fn one(&self, count: usize) -> f64 {
        let (_, card) = &self.members[self.members.len() / 2];
        middle(count, &mut || drop(card.transmit(&COMMAND).expect("the card answers")))
    }

    fn ping_turns(&mut self, count: usize) -> f64 {
        let all = self.pings.len();
        let mut next = 0;
        middle(count, &mut || {
            self.pings[next].ask();
            next = (next + 1) % all;
        })
    }
}

fn middle(count: usize, work: &mut impl FnMut()) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "times of a few microseconds")]
    let times: Vec<f64> = timed(count, work).into_iter().map(|time| time as f64).collect();
    median(&times)
}
