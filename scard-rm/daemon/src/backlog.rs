//! What a client was told and has not read yet.

use scard_types::SecretBytes;

/// The least room made at a time, in bytes.
const LEAST: usize = 4096;

/// Bytes in the order in which they are to be sent; wiped when they are sent, for answers of cards may be secrets.
#[derive(Default)]
pub(crate) struct Backlog(SecretBytes);

impl Backlog {
    /// What is to be sent.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.expose()
    }

    /// Adds to the end.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.expose_mut().capacity() {
            // By hand, because growing in place would leave a copy behind.
            let mut larger = Vec::with_capacity(needed.max(2 * self.0.len()).max(LEAST));
            larger.extend_from_slice(self.0.expose());
            self.0 = SecretBytes::new(larger);
        }
        self.0.expose_mut().extend_from_slice(bytes);
    }

    /// The first `count` bytes are sent.
    pub(crate) fn sent(&mut self, count: usize) {
        if count >= self.0.len() {
            return *self = Self::default();
        }
        let left = self.0.len() - count;
        let bytes = self.0.expose_mut();
        bytes.copy_within(count.., 0);
        if let Some(rest) = bytes.get_mut(left..) {
            rest.fill(0);
        }
        bytes.truncate(left);
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
        assert_eq!(backlog.0.expose_mut().capacity(), 0, "memory is given back");
    }
}
