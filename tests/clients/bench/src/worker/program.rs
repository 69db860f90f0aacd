//! A program with a card, over whichever `libpcsclite.so.1` it was loaded with: does what each line of its standard
//! input says, and answers in one line of numbers.

use std::fs;
use std::io::stdin;
use std::time::{Duration, Instant};

use pcsc::{Card, Context, Protocols, Scope, ShareMode};

use crate::{calls, pingpong, turns, waits};

/// What a program has open.
#[derive(Default)]
pub(crate) struct Program {
    context: Option<Context>,
    card: Option<Card>,
    reader: Option<std::ffi::CString>,
}

pub(crate) fn talk() {
    println!("{}", loaded_library());
    let mut program = Program::default();
    for line in stdin().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split_whitespace().collect();
        println!("{}", program.obey(&words));
    }
}

/// The file that the library was loaded from.
fn loaded_library() -> String {
    let maps = fs::read_to_string("/proc/self/maps").expect("Linux");
    let line = maps.lines().find(|line| line.contains("libpcsclite")).unwrap_or_default();
    line.split_whitespace().last().unwrap_or("no libpcsclite").to_owned()
}

impl Program {
    fn obey(&mut self, words: &[&str]) -> String {
        match words {
            ["connect"] => {
                self.connect();
                "ok".into()
            }
            ["times", call, count] => numbers(&calls::times(self, call, parse(count))),
            ["sizes", size, count] => {
                let command = long_command(parse(size));
                numbers(&self.transmits(&command, parse(count)))
            }
            ["ping", socket, asked, answered, count] => {
                let (asked, answered) = (parse(asked), parse(answered));
                numbers(&pingpong::ask(socket.as_ref(), asked, answered, parse(count)))
            }
            ["hold", times, hold] => numbers(&turns::hold(self, parse(times), micros(hold))),
            ["loop", clients, time] => numbers(&turns::compete(parse(clients), micros(time))),
            ["await", state] => waits::await_state(self, state),
            ["cancel", times] => numbers(&waits::cancel(self, parse(times))),
            ["wait-for-ever"] => {
                waits::for_ever(self);
                "waiting".into()
            }
            ["whole", time] => numbers(&whole_uses(micros(time))),
            _ => panic!("a program cannot {words:?}"),
        }
    }

    /// Opens a context, if there is none, and a shared handle of the first card.
    fn connect(&mut self) {
        self.card = None;
        let context = self.context().clone();
        let reader = self.reader().to_owned();
        let card = context.connect(&reader, ShareMode::Shared, Protocols::ANY);
        self.card = Some(card.expect("there is a card"));
    }

    pub(crate) fn context(&mut self) -> &Context {
        self.context.get_or_insert_with(establish)
    }

    /// The name of the first reader.
    pub(crate) fn reader(&mut self) -> &std::ffi::CStr {
        let context = self.context().clone();
        self.reader.get_or_insert_with(|| first_reader(&context))
    }

    pub(crate) fn card(&mut self) -> &mut Card {
        if self.card.is_none() {
            self.connect();
        }
        self.card.as_mut().expect("it is connected")
    }

    /// The time of each exchange of this command, in nanoseconds.
    fn transmits(&mut self, command: &[u8], count: usize) -> Vec<u64> {
        let mut buffer = vec![0; pcsc::MAX_BUFFER_SIZE_EXTENDED];
        let card = self.card();
        let mut exchange = || {
            let answer = card.transmit(command, &mut buffer).expect("the card answers");
            assert!(answer.ends_with(&[0x90, 0x00]), "status {:02X?}", answer.last_chunk::<2>());
        };
        timed(count, &mut exchange)
    }
}

pub(crate) fn establish() -> Context {
    Context::establish(Scope::System).expect("the daemon serves")
}

pub(crate) fn first_reader(context: &Context) -> std::ffi::CString {
    let readers = context.list_readers_owned().expect("there is a reader");
    readers.into_iter().next().expect("there is a reader")
}

/// A command whose answer has that many bytes with its status word, of a card that answers whatever is asked.
fn long_command(answered: usize) -> Vec<u8> {
    let expected = u16::try_from(answered - 2).unwrap_or(0).to_be_bytes();
    vec![0x00, 0xB0, 0x00, 0x00, 0x00, expected[0], expected[1]]
}

/// Does it some times to warm up, then that often; how long each took, in nanoseconds.
pub(crate) fn timed(count: usize, work: &mut impl FnMut()) -> Vec<u64> {
    for _ in 0..count / 10 {
        work();
    }
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begin = Instant::now();
        work();
        times.push(u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    times
}

/// Everything that a small program does, from its first call to its last, again and again.
fn whole_uses(time: Duration) -> Vec<u64> {
    let end = Instant::now() + time;
    let mut times = Vec::new();
    while Instant::now() < end {
        let begin = Instant::now();
        let mut program = Program::default();
        calls::transmit(program.card());
        drop(program);
        times.push(u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    times
}

fn numbers(numbers: &[u64]) -> String {
    let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
    words.join(" ")
}

fn parse(word: &str) -> usize {
    word.parse().expect("a number")
}

fn micros(word: &str) -> Duration {
    Duration::from_micros(word.parse().expect("a number"))
}
