//! Which process this is: contexts and card handles are worth nothing in a forked child.
//!
//! A child inherits the descriptors of its parent's connections, and a message from it would be taken for the
//! parent's. So each process has tables of its own. Those of the parent stay where they are in the child's memory:
//! untouched, because another thread may have held their lock at the moment of the fork, and never dropped, because
//! the connections in them are the parent's.
//!
//! DIFFERS: pcsc-lite since 1.8.9 lets the child go on with its parent's contexts; a release in the child then ends
//! the parent's connection.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// One value for each process that a process becomes by forking.
#[derive(Debug)]
pub struct PerProcess<T: 'static> {
    first: Generation<T>,
    /// The generation in use, NULL for the first.
    current: AtomicPtr<Generation<T>>,
}

#[derive(Debug)]
struct Generation<T: 'static> {
    /// The process that it belongs to, 0 until somebody asks.
    process: AtomicU32,
    value: T,
    /// The one before, so that a leak checker sees that it is kept on purpose.
    _parent: Option<&'static Self>,
}

impl<T> PerProcess<T> {
    /// With the value for the process that loads the library.
    #[must_use]
    pub const fn new(first: T) -> Self {
        Self {
            first: Generation { process: AtomicU32::new(0), value: first, _parent: None },
            current: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The value of this process; `make` makes it in a child that asks for the first time.
    pub fn get(&'static self, make: impl Fn() -> T) -> &'static T {
        self.of(std::process::id(), make)
    }

    fn of(&'static self, process: u32, make: impl Fn() -> T) -> &'static T {
        loop {
            let seen = self.current.load(Ordering::Acquire);
            // SAFETY: what is not NULL came from `Box::into_raw` below and is never freed.
            let generation = unsafe { seen.as_ref() }.unwrap_or(&self.first);
            match generation.process.compare_exchange(
                0,
                process,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return &generation.value,
                Err(owner) if owner == process => return &generation.value,
                Err(_) => {}
            }
            let made = Box::into_raw(Box::new(Generation {
                process: AtomicU32::new(process),
                value: make(),
                _parent: Some(generation),
            }));
            if self
                .current
                .compare_exchange(seen, made, Ordering::AcqRel, Ordering::Acquire)
                .is_err()
            {
                // SAFETY: nobody else has seen this one.
                drop(unsafe { Box::from_raw(made) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_gets_a_value_of_its_own_and_keeps_it() {
        static VALUES: PerProcess<u32> = PerProcess::new(1);
        assert_eq!(VALUES.of(100, || 2), &1);
        assert_eq!(VALUES.of(100, || 3), &1);
        assert_eq!(VALUES.of(101, || 4), &4);
        assert_eq!(VALUES.of(101, || 5), &4);
    }
}
