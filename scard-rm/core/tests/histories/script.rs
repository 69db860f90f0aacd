//! A history: steps that mean something in whatever state the world is, so that any of them can be left out.

use scard_core::Wire;
use scard_types::{Disposition, Protocols, ShareMode, SlotError};

/// Seats for clients, and places for readers.
pub(crate) const SEATS: u8 = 7;
pub(crate) const PLACES: u8 = 3;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// A client takes a seat that is free.
    Join {
        seat: u8,
        uid: u32,
        wire: Wire,
    },
    /// The client in that seat dies.
    Die {
        seat: u8,
    },
    /// The client in that seat asks for something; `pick` says of which of its contexts, handles or readers.
    Ask {
        seat: u8,
        ask: Ask,
        pick: u8,
    },
    Plug {
        place: u8,
    },
    Unplug {
        place: u8,
    },
    Insert {
        place: u8,
    },
    Remove {
        place: u8,
    },
    Replace {
        place: u8,
    },
    /// The slot finishes what it has to do, if it has something to do.
    Finish {
        place: u8,
        how: How,
    },
    /// The limit for idle transactions of a reader, or of all, is set or taken away.
    Limit {
        place: u8,
        millis: Option<u64>,
    },
    /// Time passes; stock clients that were sent back try again meanwhile.
    Pass {
        millis: u64,
    },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Ask {
    Establish {
        windows: bool,
    },
    Release,
    Connect {
        share: ShareMode,
        protocols: Protocols,
    },
    Reconnect {
        share: ShareMode,
        initialization: Disposition,
    },
    Begin,
    End {
        disposition: Disposition,
    },
    Disconnect {
        disposition: Disposition,
    },
    Transmit,
    Control,
    Status,
    GetAttribute {
        own: bool,
    },
    SetAttribute,
    StatusChange {
        timeout_ms: Option<u32>,
        aware: bool,
        pnp: bool,
    },
    Cancel {
        foreign: bool,
    },
    Watch,
    StopWatching,
    Subscribe,
    /// Something with a handle of somebody else.
    Foreign,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    Well,
    Badly(SlotError),
    /// A result of some earlier job comes in once more; the present one goes on.
    Stale,
}

/// Random numbers from a seed (xorshift64*, after Vigna, 2016).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn throw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.throw() % end
    }

    fn small(&mut self, end: u8) -> u8 {
        u8::try_from(self.below(u64::from(end))).unwrap()
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(u64::try_from(of.len()).unwrap())).unwrap()]
    }

    fn weighted<T: Copy>(&mut self, of: &[(u64, T)]) -> T {
        let mut at = self.below(of.iter().map(|(weight, _)| weight).sum());
        for (weight, what) in of {
            if at < *weight {
                return *what;
            }
            at -= weight;
        }
        unreachable!("the sum of the weights bounds the throw")
    }
}

/// The temper of one history: what happens often in it.
struct Temper {
    deaths: u64,
    cards: u64,
    readers: u64,
    failures: u64,
    /// Of how many readers people want one.
    places: u8,
    stock_clients: u64,
    /// Whether transactions are wanted more than anything, and held for long.
    quarrels: bool,
}

pub(crate) fn write(seed: u64, steps: usize) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    let temper = Temper {
        deaths: dice.one(&[0, 1, 2, 6]),
        cards: dice.one(&[0, 1, 2, 8]),
        readers: dice.one(&[0, 0, 1]),
        failures: dice.one(&[0, 2, 10]),
        places: dice.one(&[1, 1, 2, PLACES]),
        stock_clients: dice.one(&[0, 3, 6, 10]),
        quarrels: dice.below(3) == 0,
    };
    (0..steps).map(|_| step(&mut dice, &temper)).collect()
}

fn step(dice: &mut Dice, temper: &Temper) -> Step {
    let seat = dice.small(SEATS);
    let place = dice.small(temper.places);
    match dice.below(400 + 4 * (temper.deaths + temper.cards + temper.readers)) {
        0..30 => {
            let stock = dice.below(10) < temper.stock_clients;
            let wire = if stock { Wire::PcscLite } else { Wire::Native };
            Step::Join { seat, uid: dice.one(&[1_000, 1_000, 1_001, 0]), wire }
        }
        30..120 => Step::Finish { place, how: how(dice, temper) },
        120..145 if temper.quarrels => Step::Pass { millis: dice.one(&[10, 30, 60, 100]) },
        120..145 => {
            Step::Pass { millis: dice.one(&[0, 1, 10, 50, 99, 100, 150, 500, 2_000, 6_000]) }
        }
        145..165 => Step::Insert { place },
        165..169 => Step::Plug { place },
        169 => Step::Limit {
            place: dice.small(PLACES + 2),
            millis: dice.one(&[None, Some(0), Some(50), Some(1_000), Some(6_000)]),
        },
        170..400 => {
            let ask = if temper.quarrels && dice.below(5) < 4 { quarrel(dice) } else { ask(dice) };
            Step::Ask { seat, ask, pick: dice.small(255) }
        }
        beyond => match beyond - 400 {
            at if at < 4 * temper.deaths => Step::Die { seat },
            at if at < 4 * (temper.deaths + temper.cards) => {
                let (remove, insert) = (Step::Remove { place }, Step::Insert { place });
                dice.one(&[remove, remove, insert, insert, Step::Replace { place }])
            }
            _ => Step::Unplug { place },
        },
    }
}

fn how(dice: &mut Dice, temper: &Temper) -> How {
    if dice.below(40) < temper.failures {
        return How::Badly(dice.one(&[
            SlotError::NoCard,
            SlotError::Mute,
            SlotError::Timeout,
            SlotError::Communication,
            SlotError::NotSupported,
            SlotError::ProtocolRefused,
            SlotError::ReaderGone,
        ]));
    }
    if dice.below(25) == 0 { How::Stale } else { How::Well }
}

fn quarrel(dice: &mut Dice) -> Ask {
    let (share, protocols) = (ShareMode::Shared, Protocols::ANY);
    let disposition = Disposition::Leave;
    dice.weighted(&[
        (3, Ask::Establish { windows: false }),
        (6, Ask::Connect { share, protocols }),
        (8, Ask::Begin),
        (3, Ask::End { disposition }),
        (1, Ask::Transmit),
    ])
}

fn ask(dice: &mut Dice) -> Ask {
    use Disposition::{Eject, Leave, Reset, Unpower};
    let share =
        dice.weighted(&[(8, ShareMode::Shared), (1, ShareMode::Exclusive), (1, ShareMode::Direct)]);
    let t0 = Protocols { t0: true, ..Protocols::NONE };
    let raw = Protocols { raw: true, ..Protocols::NONE };
    let protocols = dice.weighted(&[(12, Protocols::ANY), (1, t0), (1, raw), (1, Protocols::NONE)]);
    let disposition = dice.weighted(&[(6, Leave), (2, Reset), (1, Unpower), (1, Eject)]);
    let initialization = dice.weighted(&[(4, Leave), (2, Reset), (1, Unpower)]);
    let windows = dice.below(5) == 0;
    let own = dice.below(2) == 0;
    let timeout_ms = dice.one(&[None, None, Some(0), Some(1), Some(300), Some(5_000)]);
    let (aware, pnp) = (dice.below(8) != 0, dice.below(3) == 0);
    dice.weighted(&[
        (14, Ask::Establish { windows }),
        (2, Ask::Release),
        (30, Ask::Connect { share, protocols }),
        (16, Ask::Reconnect { share, initialization }),
        (34, Ask::Begin),
        (38, Ask::End { disposition }),
        (10, Ask::Disconnect { disposition }),
        (36, Ask::Transmit),
        (6, Ask::Control),
        (14, Ask::Status),
        (4, Ask::GetAttribute { own }),
        (2, Ask::SetAttribute),
        (16, Ask::StatusChange { timeout_ms, aware, pnp }),
        (4, Ask::Cancel { foreign: own }),
        (8, Ask::Watch),
        (4, Ask::StopWatching),
        (3, Ask::Subscribe),
        (4, Ask::Foreign),
    ])
}
