//! What programs do next: by chance, but mostly something that makes sense.

use super::book::{Book, CONTEXTS, HANDLES, Life};
use super::chance::Chance;
use super::history::{Step, program_of};

const PROGRAMS: &[&str] = &["alice", "bob", "carol"];
/// The context that each thread of a program uses.
const THREADS: [usize; 4] = [0, 1, 0, 1];
/// More than these wait for nothing new.
const MOST_PENDING: usize = 3;

/// No history leaves more than this to be ended.
const MOST_FAREWELLS: usize = 8;

/// A source of steps.
pub(crate) struct Generator {
    chance: Chance,
    left: usize,
    /// Steps to end what holds others up.
    farewells: usize,
    programs: usize,
    /// Whether cards come and go: that takes pcscd 0.4 s each time.
    cards: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Connect,
    Reconnect,
    Disconnect,
    Begin,
    End,
    Transmit,
    Status,
    Attribute,
    SetAttribute,
    Control,
    Change,
    Readers,
    Groups,
    Valid,
    Cancel,
    Release,
    Establish,
}

const KINDS: &[(usize, Kind)] = &[
    (14, Kind::Connect),
    (12, Kind::Reconnect),
    (8, Kind::Disconnect),
    (16, Kind::Begin),
    (12, Kind::End),
    (16, Kind::Transmit),
    (10, Kind::Status),
    (4, Kind::Attribute),
    (1, Kind::SetAttribute),
    (4, Kind::Control),
    (12, Kind::Change),
    (1, Kind::Readers),
    (1, Kind::Groups),
    (1, Kind::Valid),
    (2, Kind::Cancel),
    (2, Kind::Release),
    (1, Kind::Establish),
];

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let cards = chance.percent(15);
        let left = 10 + chance.below(30);
        let programs = 2 + usize::from(chance.percent(25));
        Self { chance, left, farewells: MOST_FAREWELLS, programs, cards }
    }

    pub(crate) fn next(&mut self, book: &Book) -> Option<Step> {
        let Some(left) = self.left.checked_sub(1) else { return self.farewell(book) };
        self.left = left;
        if let Some(what) = self.world(book) {
            return Some(Step::World(what));
        }
        // A call that could not be compared (a second one that waits) is thrown away.
        (0..100).find_map(|_| self.call(book))
    }

    /// At the end transactions are ended one by one: pcscd may forget to close handles whose owners go during somebody
    /// else's.
    fn farewell(&mut self, book: &Book) -> Option<Step> {
        self.farewells = self.farewells.checked_sub(1)?;
        if let Some(waits) = book.pending.iter().find(|call| call.what.starts_with("change")) {
            let context = waits.what.split(' ').nth(1)?;
            return Some(Step::call(
                format!("{}/9", program_of(&waits.who)),
                format!("cancel {context}"),
            ));
        }
        let mut programs = book.programs.iter();
        programs.find_map(|(name, program)| {
            let holds = |at: &usize| {
                let handle = &program.handles[*at];
                handle.life == Life::Open && handle.depth > 0
            };
            let place = (0..HANDLES).find(holds)?;
            Some(Step::call(format!("{name}/9"), format!("disconnect h{place} leave")))
        })
    }

    fn world(&mut self, book: &Book) -> Option<String> {
        if self.cards && self.chance.percent(8) {
            let reader = usize::from(self.chance.percent(20));
            let change = if book.cards[reader] { "remove" } else { "insert" };
            return Some(format!("{change} {}", ["first", "second"][reader]));
        }
        if self.chance.percent(3) {
            let who = self.program();
            // What a dead client's call does in pcscd is nobody's wish.
            let waits = book.pending.iter().any(|pending| {
                let own = program_of(&pending.who) == who && !pending.what.starts_with("change");
                // Handles are counted afterwards: no new one may come in between.
                own || pending.what.starts_with("connect")
            });
            let possible = book.programs.contains_key(who) && !book.is_caught(who, None);
            return (!waits && possible).then(|| format!("kill {who}"));
        }
        None
    }

    fn program(&mut self) -> &'static str {
        PROGRAMS[self.chance.below(self.programs)]
    }

    fn call(&mut self, book: &Book) -> Option<Step> {
        let program = self.program();
        let thread = self.chance.weighted(&[(8, 0), (5, 1), (2, 2), (1, 3)]);
        let context = THREADS[thread];
        let who = format!("{program}/{thread}");
        if book.is_busy(&who) {
            return None;
        }
        let known = book.programs.get(program).cloned().unwrap_or_default();
        // All calls of a context are one after the other in the stock library, but for these.
        let queued = book.pending.iter().find(|pending| {
            let thread = pending.who.rsplit('/').next().and_then(|word| word.parse::<usize>().ok());
            program_of(&pending.who) == program && thread.map(|at| THREADS[at]) == Some(context)
        });
        if let Some(queued) = queued {
            let what = match queued.what.split(' ').next() {
                Some("change") if self.chance.percent(60) => format!("cancel c{context}"),
                _ if self.chance.percent(30) => format!("valid c{context}"),
                _ => return None,
            };
            return Some(Step::call(who, what));
        }
        let kind = match known.contexts[context] {
            Life::Open => self.chance.weighted(KINDS),
            _ if self.chance.percent(95) => Kind::Establish,
            _ => self.chance.weighted(KINDS),
        };
        let what = self.words(kind, book, program, context)?;
        self.may_be_asked(book, &who, &what, context).then(|| Step::call(who, what))
    }

    /// Only one call at a time may wait for a card: which of two pcscd serves first is chance.
    fn may_be_asked(&self, book: &Book, who: &str, what: &str, context: usize) -> bool {
        let Some(reader) = book.reader(who, what) else { return true };
        let call = what.split(' ').next().unwrap_or_default();
        let lined_up = book.pending.iter().any(|pending| {
            !pending.what.starts_with("change")
                && book.reader(&pending.who, &pending.what) == Some(reader)
        });
        let waits = match call {
            "begin" | "transmit" | "status" | "reconnect" | "connect" => book.is_held_up(who, what),
            "disconnect" => book.is_held_up(who, what) && !what.ends_with("leave"),
            _ => false,
        };
        let deadlock = matches!(call, "connect" | "disconnect")
            && book.waits_for_itself(program_of(who), context, reader);
        !(waits && (lined_up || deadlock || book.pending.len() >= MOST_PENDING))
    }

    fn words(&mut self, kind: Kind, book: &Book, program: &str, context: usize) -> Option<String> {
        let c = if self.chance.percent(2) { self.wrong_context() } else { format!("c{context}") };
        let known = book.programs.get(program).cloned().unwrap_or_default();
        let h = self.handle(book, program, context);
        let words = match kind {
            Kind::Establish => {
                let free = known.contexts[context] != Life::Open;
                let scope = self.chance.weighted(&[(9, "0"), (3, "2"), (1, "3"), (1, "9")]);
                return free.then(|| format!("establish c{context} {scope}"));
            }
            Kind::Connect => {
                let free = |at: &usize| known.handles[*at].life != Life::Open;
                let place = (0..HANDLES).find(free)?;
                let reader = self.chance.weighted(&[
                    (30, "first"),
                    (4, "second"),
                    (1, "Nobody"),
                    (1, "a-long-name"),
                    (1, "no-name"),
                ]);
                let (share, protocols) = (self.share(), self.protocols());
                format!("connect {c} h{place} {reader} {share} {protocols}")
            }
            Kind::Reconnect => {
                let first = self.chance.weighted(&[
                    (8, "leave"),
                    (4, "reset"),
                    (3, "unpower"),
                    (1, "eject"),
                    (1, "7"),
                ]);
                format!("reconnect {} {} {} {first}", h?, self.share(), self.protocols())
            }
            Kind::Disconnect => format!("disconnect {} {}", h?, self.disposition()),
            Kind::Begin => format!("begin {}", h?),
            Kind::End => format!("end {} {}", h?, self.disposition()),
            Kind::Transmit => self.transmit(&h?),
            Kind::Status => {
                let names = self.chance.weighted(&[(12, "200"), (1, "18"), (1, "3"), (1, "0")]);
                let atrs = self.chance.weighted(&[(12, "33"), (1, "2"), (1, "0")]);
                format!("status {} {names} {atrs}", h?)
            }
            Kind::Attribute => {
                let tag = self.chance.one(ATTRIBUTES);
                let room = self.chance.weighted(&[(6, "264"), (1, "0"), (1, "1"), (1, "300")]);
                format!("attribute {} {tag} {room}", h?)
            }
            Kind::SetAttribute => {
                format!("set-attribute {} {} 01", h?, self.chance.one(ATTRIBUTES))
            }
            Kind::Control => {
                let code = self.chance.one(&["42000001", "42000D48", "313520", "42330006", "0"]);
                let input = self.chance.one(&["*0", "00", "0102", "*300", "*65549"]);
                let room = self.chance.weighted(&[(4, "300"), (1, "0"), (1, "4")]);
                format!("control {} {code} {input} {room}", h?)
            }
            Kind::Change => self.change(&c),
            Kind::Readers => {
                format!("readers {c} {}", self.chance.one(&["300", "300", "10", "0"]))
            }
            Kind::Groups => format!("groups {c} {}", self.chance.one(&["300", "5"])),
            Kind::Valid => format!("valid {c}"),
            Kind::Cancel => format!("cancel {c}"),
            // pcscd would never close the handles; that is a history of its own.
            Kind::Release if book.is_caught(program, Some(context)) => return None,
            Kind::Release => format!("release {c}"),
        };
        Some(words)
    }

    /// A handle of this context, now and then a wrong one.
    fn handle(&mut self, book: &Book, program: &str, context: usize) -> Option<String> {
        let known = book.programs.get(program)?;
        if self.chance.percent(3) {
            let foreign = book.programs.iter().find(|(name, other)| {
                name.as_str() != program && other.handles[0].life == Life::Open
            });
            return Some(match (self.chance.below(4), foreign) {
                (0, Some((name, _))) => format!("{name}:h0"),
                (1, _) => "#0".into(),
                (2, _) => "#4711".into(),
                _ => "#-1".into(),
            });
        }
        let closed = self.chance.percent(2);
        let usable: Vec<usize> = (0..HANDLES)
            .filter(|at| {
                let handle = &known.handles[*at];
                let wanted = if closed { Life::Closed } else { Life::Open };
                handle.context == context && handle.life == wanted
            })
            .collect();
        (!usable.is_empty()).then(|| format!("h{}", usable[self.chance.below(usable.len())]))
    }

    fn wrong_context(&mut self) -> String {
        (*self.chance.one(&["#0", "#-1", "#4711"])).into()
    }

    fn share(&mut self) -> &'static str {
        self.chance.weighted(&[(12, "shared"), (4, "exclusive"), (4, "direct"), (1, "0"), (1, "9")])
    }

    fn protocols(&mut self) -> &'static str {
        self.chance.weighted(&[
            (14, "any"),
            (4, "T1"),
            (2, "T0"),
            (2, "raw"),
            (1, "raw+T1"),
            (1, "old"),
            (1, "none"),
            (1, "8"),
        ])
    }

    fn disposition(&mut self) -> &'static str {
        self.chance.weighted(&[(10, "leave"), (4, "reset"), (3, "unpower"), (1, "eject"), (1, "9")])
    }

    fn transmit(&mut self, handle: &str) -> String {
        let pci = self.chance.weighted(&[
            (20, "T1"),
            (2, "T0"),
            (2, "raw"),
            (2, "old"),
            (1, "none"),
            (1, "any"),
            (1, "8"),
        ]);
        let command = self.chance.weighted(&[
            (8, "00A4040009A00000030800001000"),
            (4, "00CB3FFF055C035FC10200"),
            (2, "00A40400059F0F0F0F0F"),
            (2, "00FD0000"),
            (1, "00A4"),
            (1, "*300"),
            (1, "*65549"),
        ]);
        let room = self.chance.weighted(&[
            (14, "300"),
            (2, "70000"),
            (1, "2"),
            (1, "9"),
            (1, "1"),
            (1, "0"),
        ]);
        format!("transmit {handle} {pci} {command} {room}")
    }

    fn change(&mut self, context: &str) -> String {
        let timeout = self.chance.weighted(&[(6, "0"), (2, "30"), (3, "forever")]);
        let mut words = format!("change {context} {timeout}");
        for _ in 0..self.chance.weighted(&[(10, 1), (5, 2), (1, 3), (1, 0)]) {
            let reader = self.chance.weighted(&[
                (20, "first"),
                (6, "second"),
                (3, "plug-and-play"),
                (1, "Nobody"),
                (1, "no-name"),
            ]);
            let state = self.chance.one(STATES);
            words.push_str(&format!(" {reader}={state}"));
        }
        words
    }
}

const ATTRIBUTES: &[&str] = &[
    "10100", "10101", "10102", "10103", "20110", "30120", "8020A", "90300", "90301", "90303",
    "90304", "7A007", "7FFF0001", "7FFF0003", "7FFF0004", "7FFF0005", "1",
];

const STATES: &[&str] = &[
    "last", "last", "last", "last", "0", "0", "1", "2", "4", "8", "10", "20", "22", "120", "A0",
    "220", "30", "400", "1000+20", "0+20", "0+10", "1+20", "2+10",
];

const _: () = assert!(CONTEXTS == 2);
