//! The bytes of a connection that are read and not yet understood.

use alloc::vec;

use scard_types::SecretBytes;

/// What an inbox begins with, in bytes: a short APDU and what surrounds it, several times.
const LEAST_ROOM: usize = 1024;
/// What an idle one keeps at most.
const MOST_KEPT: usize = 4096;
/// The most room ahead of what has arrived, in bytes.
const MOST_ROOM: usize = 64 * 1024;

/// A buffer that grows with what arrives, at most 64 KiB ahead of it, and wipes what was taken out: commands carry PINs.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// Zero beyond `end`.
    memory: SecretBytes,
    /// INVARIANT: `start <= end <= memory.len()`.
    start: usize,
    end: usize,
    /// How long the message at `start` is, as far as that is known and allowed.
    wanted: usize,
}

impl Inbox {
    /// Where the next read puts its bytes; never empty.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        let held = self.held().len();
        let missing = self.wanted.saturating_sub(held);
        let least = missing.clamp(1, MOST_ROOM);
        if self.memory.len().saturating_sub(self.end) < least {
            self.make_room(held, least);
        }
        self.memory.expose_mut().get_mut(self.end..).unwrap_or_default()
    }

    /// Says how many bytes of [`Inbox::room`] are filled now.
    pub(crate) fn filled(&mut self, bytes: usize) {
        self.end = self.end.saturating_add(bytes).min(self.memory.len());
    }

    /// Copies bytes in that were read elsewhere.
    pub(crate) fn extend(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.room();
            let (now, later) = bytes.split_at(bytes.len().min(room.len()));
            if let Some(place) = room.get_mut(..now.len()) {
                place.copy_from_slice(now);
            }
            self.filled(now.len());
            bytes = later;
        }
    }

    /// What has arrived and was not taken.
    pub(crate) fn held(&self) -> &[u8] {
        self.memory.expose().get(self.start..self.end).unwrap_or_default()
    }

    /// Says that the message at the beginning has `bytes` in all; the caller has checked that it may.
    pub(crate) const fn want(&mut self, bytes: usize) {
        self.wanted = bytes;
    }

    /// Wipes the first `bytes`: they were understood.
    pub(crate) fn take(&mut self, bytes: usize) {
        let upto = self.start.saturating_add(bytes).min(self.end);
        if let Some(taken) = self.memory.expose_mut().get_mut(self.start..upto) {
            taken.fill(0);
        }
        self.start = upto;
        self.wanted = 0;
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Gives the memory of an unusually long message back if nothing is held.
    pub(crate) fn relax(&mut self) {
        if self.memory.len() > MOST_KEPT && self.held().is_empty() {
            *self = Self::default();
        }
    }

    /// Moves what is held to the front, of a larger buffer if it must be.
    fn make_room(&mut self, held: usize, least: usize) {
        let needed = held.saturating_add(least).max(LEAST_ROOM);
        if needed <= self.memory.len() {
            let memory = self.memory.expose_mut();
            memory.copy_within(self.start..self.end, 0);
            if let Some(rest) = memory.get_mut(held..self.end) {
                rest.fill(0);
            }
        } else {
            // Twice as much each time, also for a peer that sends ahead of what it was asked for.
            let more = least.max(LEAST_ROOM).max(held.min(MOST_ROOM));
            let mut larger = vec![0; held.saturating_add(more)];
            if let Some(front) = larger.get_mut(..held) {
                front.copy_from_slice(self.held());
            }
            self.memory = SecretBytes::new(larger);
        }
        self.start = 0;
        self.end = held;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_follows_what_arrives_not_what_is_announced() {
        let mut inbox = Inbox::default();
        inbox.extend(&[1; 16]);
        inbox.want(1 << 30);
        assert!(inbox.room().len() <= MOST_ROOM);
        assert!(inbox.memory.len() <= 16 + MOST_ROOM);
    }

    #[test]
    fn what_was_taken_is_wiped() {
        let mut inbox = Inbox::default();
        inbox.extend(b"00 PIN 123456");
        inbox.take(7);
        assert_eq!(inbox.held(), b"123456");
        assert!(!inbox.memory.expose().windows(3).any(|seen| seen == b"PIN"));
        inbox.take(6);
        assert!(inbox.memory.expose().iter().all(|byte| *byte == 0));
    }

    #[test]
    fn the_memory_of_a_long_message_is_given_back_when_it_was_taken() {
        let mut inbox = Inbox::default();
        inbox.extend(&[1; LEAST_ROOM]);
        inbox.take(LEAST_ROOM);
        inbox.relax();
        assert_eq!(inbox.memory.len(), LEAST_ROOM, "the next one is as short");
        inbox.want(MOST_KEPT + 1);
        inbox.extend(&[1; MOST_KEPT + 1]);
        inbox.relax();
        assert_eq!(inbox.held().len(), MOST_KEPT + 1, "it was not taken");
        inbox.take(MOST_KEPT + 1);
        inbox.relax();
        assert!(inbox.memory.is_empty());
    }

    #[test]
    fn a_peer_that_sends_ahead_is_not_read_byte_by_byte() {
        let mut inbox = Inbox::default();
        let mut rooms = 0;
        while inbox.held().len() < MOST_ROOM {
            let room = inbox.room().len();
            inbox.filled(room);
            rooms += 1;
        }
        assert!(rooms <= MOST_ROOM / LEAST_ROOM, "{rooms}");
    }

    #[test]
    fn bytes_move_to_the_front_when_the_end_is_reached() {
        let mut inbox = Inbox::default();
        for round in 0..100_u8 {
            inbox.extend(&[round; 1000]);
            if round > 0 {
                inbox.take(1000);
            }
            assert_eq!(inbox.held(), &[round; 1000]);
        }
        assert!(inbox.memory.len() <= 2 * LEAST_ROOM);
    }
}
