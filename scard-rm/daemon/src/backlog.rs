//! What a client was told and has not read yet.

use zeroize::{Zeroize, Zeroizing};

/// The least room made at a time, in bytes.
const LEAST: usize = 4096;

/// Bytes in the order in which they are to be sent; wiped when they are sent, for answers of cards may be secrets.
#[derive(Default)]
pub(crate) struct Backlog(Zeroizing<Vec<u8>>);

impl Backlog {
    /// What is to be sent.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Adds to the end.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            // By hand, because growing in place would leave a copy behind.
            let mut larger = Vec::with_capacity(needed.max(2 * self.0.len()).max(LEAST));
            larger.extend_from_slice(&self.0);
            self.0 = Zeroizing::new(larger);
        }
        self.0.extend_from_slice(bytes);
    }

    /// The first `count` bytes are sent.
    pub(crate) fn sent(&mut self, count: usize) {
        if count >= self.0.len() {
            return *self = Self::default();
        }
        self.0.copy_within(count.., 0);
        let left = self.0.len() - count;
        if let Some(rest) = self.0.get_mut(left..) {
            rest.zeroize();
        }
        self.0.truncate(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_the_order_in_which_they_came() {
        let mut backlog = Backlog::default();
        let (mut came, mut left) = (Vec::new(), Vec::new());
        for round in 0..200_u8 {
            let bytes = vec![round; usize::from(round) * 50];
            backlog.push(&bytes);
            came.extend_from_slice(&bytes);
            let some = backlog.bytes().len() / 2;
            left.extend_from_slice(&backlog.bytes()[..some]);
            backlog.sent(some);
        }
        left.extend_from_slice(backlog.bytes());
        assert!(came == left);
        backlog.sent(backlog.bytes().len());
        assert!(backlog.bytes().is_empty());
        assert_eq!(backlog.0.capacity(), 0, "memory is given back");
    }
}
