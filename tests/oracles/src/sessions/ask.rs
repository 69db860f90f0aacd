//! What a client asks: one request with numbers of its own, or of others.

use scard_types::attribute::{DEVICE_FRIENDLY_NAME_A, VENDOR_NAME};
use scard_types::call::{Call, CardHandle, ContextId, KnownReader};
use scard_types::status_change::PNP_READER;
use scard_types::{Character, Disposition, Protocols, ShareMode};

use super::World;
use crate::input::Input;

impl World {
    pub(super) fn ask(&mut self, at: usize, input: &mut Input<'_>) {
        let call = self.call(at, input);
        let written = self.seats[at].as_mut().and_then(|seat| seat.write(&call));
        if let Some(bytes) = written {
            self.hear(at, &bytes);
        }
    }

    fn call(&self, at: usize, input: &mut Input<'_>) -> Call {
        use Disposition::{Eject, Leave, Reset, Unpower};
        let what = input.byte();
        let pick = input.byte();
        // Now and then with the numbers of somebody else.
        let foreign = pick >= 0xF0;
        let (context, card) = (self.context(at, foreign, pick), self.handle(at, foreign, pick));
        let disposition = [Leave, Leave, Reset, Unpower, Eject][usize::from(pick >> 4) % 5];
        let bytes = vec![0x80, what, pick];
        match what % 20 {
            0 => {
                let windows = pick >= 0x80;
                let character = if windows { Character::Windows } else { Character::PcscLite };
                Call::EstablishContext { scope: 2, character }
            }
            1 => Call::ReleaseContext { context },
            2..=4 => {
                let share =
                    [ShareMode::Shared, ShareMode::Shared, ShareMode::Exclusive, ShareMode::Direct]
                        [usize::from(pick >> 4) % 4];
                let protocols = if pick & 8 == 8 { Protocols::NONE } else { Protocols::ANY };
                Call::Connect { context, reader: self.reader(pick), share, protocols }
            }
            5 => {
                let (share, protocols) = (ShareMode::Shared, Protocols::ANY);
                let initialization = if disposition == Eject { Reset } else { disposition };
                Call::Reconnect { card, share, protocols, initialization }
            }
            6 => Call::Disconnect { card, disposition },
            7 | 8 => Call::BeginTransaction { card },
            9 => Call::EndTransaction { card, disposition },
            10 | 11 => {
                let receive_limit = if pick == 0x7F { 4 } else { 300 };
                Call::Transmit { card, protocol: None, command: bytes.into(), receive_limit }
            }
            12 => Call::Control { card, code: 1, input: bytes.into(), output_limit: 300 },
            13 => Call::Status { card },
            14 => {
                let tag = if pick & 1 == 0 { DEVICE_FRIENDLY_NAME_A } else { VENDOR_NAME };
                Call::GetAttribute { card, tag }
            }
            15 => Call::SetAttribute { card, tag: 1, value: bytes },
            16 => Call::Cancel { context },
            17 => {
                let timeout_ms =
                    [None, Some(0), Some(300), Some(5_000)][usize::from(pick >> 4) % 4];
                let known = |name: String| KnownReader { name, current_state: input.word().into() };
                let names = [self.reader(pick), PNP_READER.to_owned()];
                let named = 1 + usize::from(pick >> 3 & 1);
                let readers = names.into_iter().take(named).map(known).collect();
                Call::StatusChange { context, timeout_ms, readers }
            }
            18 if pick & 1 == 0 => Call::WatchReaders,
            18 => Call::StopWatching,
            _ => match pick % 5 {
                0 => Call::Subscribe,
                1 => Call::ListReaders { context },
                2 => Call::ReaderTable { most: Some(16) },
                3 => Call::ReaderEvents,
                _ => Call::DescribeReaders,
            },
        }
    }

    fn context(&self, at: usize, foreign: bool, pick: u8) -> ContextId {
        let seats = self.seats.iter().enumerate().filter(|(seat, _)| (*seat == at) != foreign);
        let contexts = seats.filter_map(|(_, seat)| seat.as_ref()).flat_map(|seat| &seat.contexts);
        one(contexts.copied(), pick).unwrap_or(ContextId(7))
    }

    fn handle(&self, at: usize, foreign: bool, pick: u8) -> CardHandle {
        let seats = self.seats.iter().enumerate().filter(|(seat, _)| (*seat == at) != foreign);
        let handles =
            seats.filter_map(|(_, seat)| seat.as_ref()).flat_map(|seat| seat.handles.keys());
        one(handles.copied(), pick).unwrap_or(CardHandle(9))
    }

    fn reader(&self, pick: u8) -> String {
        let names = self.readers.values().map(|reader| reader.name.clone());
        one(names, pick).unwrap_or_default()
    }
}

fn one<T>(of: impl Iterator<Item = T>, pick: u8) -> Option<T> {
    let mut all: Vec<T> = of.collect();
    let at = usize::from(pick & 7).checked_rem(all.len())?;
    Some(all.swap_remove(at))
}
