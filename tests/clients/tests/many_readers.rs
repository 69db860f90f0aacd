//! More readers than the old table of sixteen has places for.

use clients::actor::Actor;
use clients::daemon::Service;
use clients::stage::{Library, Manager, Stage};

const FORTY: usize = 40;
/// pcsc-lite up to 2.4 has a table of fixed size.
const SIXTEEN: usize = 16;

fn readers_seen_by(library: Library, name: &str) -> Vec<String> {
    let service = Service::with_many_readers(name, FORTY);
    let stage = Stage { library, manager: Manager::Ours };
    let mut alice = Actor::start("alice", stage, &service);
    alice.ask("alice", "readers");
    let readers: Vec<String> = alice.answer("alice").split(' ').map(str::to_owned).collect();
    // Whatever is seen can be used.
    for reader in [&readers[0], readers.last().unwrap()] {
        alice.ask("alice", &format!("connect {reader} shared any"));
        assert_eq!(alice.answer("alice"), "T1", "{reader}");
        alice.ask("alice", "disconnect leave");
        assert_eq!(alice.answer("alice"), "ok");
    }
    readers
}

#[test]
fn our_library_sees_all_of_them() {
    assert_eq!(readers_seen_by(Library::Ours, "forty-ours").len(), FORTY);
}

#[test]
fn the_stock_library_sees_the_first_sixteen() {
    let seen = readers_seen_by(Library::Stock, "forty-stock");
    assert!(seen.len() == SIXTEEN || seen.len() == FORTY, "{seen:?}");
}
