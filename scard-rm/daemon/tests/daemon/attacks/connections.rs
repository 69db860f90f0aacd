//! Places: whoever takes many, or takes one and says nothing, takes them from nobody else.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use scard_wire::native::Hello;

use crate::attacks::{Chance, daemon, withstand};
use crate::support::{CANCELLED, Daemon, Raw, SELECT, SUCCESS, Stock, words};
use crate::users;

/// Opens connections, and keeps those that are served; at most `limit` of them, so that we ourselves have the room.
fn flood(socket: &Path, connections: usize, limit: usize) -> Vec<Raw> {
    let mut served = Vec::new();
    for _ in 0..connections {
        let stream = UnixStream::connect(socket).expect("the daemon listens");
        let mut connection = Raw::over(stream);
        if served.len() < limit && connection.major_version().is_some() {
            served.push(connection);
        }
    }
    served
}

/// The daemon needs two descriptors for what costs us one; a shell may have given us few.
fn room_for_descriptors() {
    let files = getrlimit(Resource::Nofile);
    let all = Rlimit { current: files.maximum, maximum: files.maximum };
    setrlimit(Resource::Nofile, all).expect("up to the maximum it is allowed");
}

#[test]
fn whoever_has_no_connection_left_can_still_cancel_a_wait() {
    let daemon = Daemon::with(
        &["--reader", "sim:piv"],
        "[limits]\nconnections = { total = 2, root-reserve = 0 }\n",
    );
    let mut waiter = Stock::new(&daemon, 4);
    let context = waiter.establish();
    waiter.watch();
    let _last = Stock::new(&daemon, 4);
    for _ in 0..20 {
        assert_eq!(Raw::connect(&daemon.socket()).major_version(), None, "the house is full");
    }
    let mut canceller = Stock::silent(&daemon);
    assert_eq!(canceller.call(0x0D, &[context, 0]), [context, SUCCESS]);
    assert!(canceller.raw.until_closed().is_empty(), "it came for nothing else");
    assert_eq!(waiter.read_words(2), [0, CANCELLED]);
}

#[test]
fn two_hundred_connections_of_one_user_lock_nobody_out() {
    let daemon = daemon("");
    withstand(&daemon, |victim| {
        let open = flood(&daemon.socket(), 200, 200);
        assert_eq!(open.len(), 200);
        victim.works();
    });
}

#[test]
fn thousands_of_connections_of_one_user_fill_his_own_share_only() {
    room_for_descriptors();
    let daemon = daemon("");
    withstand(&daemon, |victim| {
        let open = flood(&daemon.socket(), 3000, 600);
        // Where the victim is the same user, two of the places are his.
        assert!((510..=512).contains(&open.len()), "{}", open.len());
        victim.works();
    });
}

#[test]
fn all_users_together_leave_root_his_reserve() {
    let quotas = "connections = { per-user = 100, total = 250, root-reserve = 20 }";
    let daemon =
        Daemon::with(&["--reader", "sim:piv"], &format!("[limits]\n{quotas}\nquiet-ms = 60000\n"));
    if !users::are_several() {
        return;
    }
    let share = |uid| users::work_as(uid, || flood(&daemon.socket(), 110, 110));
    let open: Vec<_> = [70_001, 70_002, 70_003].map(share).into_iter().collect();
    assert_eq!(open.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 30]);
    assert!(share(70_004).is_empty(), "the rest is for root");
    let (mut root, card) = Stock::with_card(&daemon);
    assert!(root.transmit(card, SELECT).is_ok());
    drop(open);
}

#[test]
fn half_sent_headers_hold_no_place_for_ever() {
    let daemon = daemon("[limits]\nmessage-ms = 100\nquiet-ms = 200\n");
    let begun: [&[u8]; 6] = [&[12], &[12, 0, 0, 0, 1], &[12, 0, 0, 0, 1, 0, 0], b"S", b"SCRD", b""];
    withstand(&daemon, |victim| {
        let mut open: Vec<_> = begun
            .iter()
            .cycle()
            .take(480)
            .map(|bytes| {
                let mut connection = Raw::connect(&daemon.socket());
                connection.send(bytes);
                connection
            })
            .collect();
        victim.works();
        for connection in &mut open {
            connection.until_closed();
        }
        Stock::new(&daemon, 4).establish();
    });
}

#[test]
fn half_sent_messages_hold_no_place_for_ever() {
    let daemon = daemon("[limits]\nmessage-ms = 100\n");
    withstand(&daemon, |victim| {
        let mut open: Vec<_> = (0..200)
            .map(|number| {
                let mut client = Stock::new(&daemon, 4);
                // A context is a reason to be quiet, but none to stop in the middle of a word.
                client.establish();
                client.raw.send(&Stock::transmit_request(1, SELECT)[..1 + number % 49]);
                client.raw
            })
            .chain((0..100).map(|number| {
                let mut connection = Raw::connect(&daemon.socket());
                connection.send(&Hello::OURS.encode());
                connection.read(8);
                connection.send(&[5, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0][..1 + number % 15]);
                connection
            }))
            .collect();
        victim.works();
        for connection in &mut open {
            connection.until_closed();
        }
    });
}

#[test]
fn whoever_comes_and_goes_at_once_leaves_nothing() {
    let daemon = daemon("");
    withstand(&daemon, |victim| {
        let mut chance = Chance::new(1);
        for _ in 0..1500 {
            let mut connection = Raw::connect(&daemon.socket());
            match chance.below(4) {
                0 => {}
                1 => connection.send(&words(&[12, 0x11, 4, 4, 0])),
                2 => connection.send(&words(&[12, 0x01, 2, 0, 0, 0, 0x13])),
                _ => connection.send(&Hello::OURS.encode()),
            }
        }
        victim.works();
    });
}

#[test]
fn when_descriptors_run_out_the_rest_wait_for_their_turn() {
    let daemon = Daemon::under("ulimit -n 40;");
    let mut clients: Vec<_> = (0..60).map(|_| Raw::connect(&daemon.socket())).collect();
    let mut turns = clients.drain(..);
    // Each that leaves makes room for one of those that could not be accepted.
    for mut client in turns.by_ref() {
        assert_eq!(client.major_version(), Some(4));
    }
    let ticks = daemon.processor_ticks();
    assert!(ticks < 100, "{ticks} hundredths of a second of computing: it spins");
}

#[test]
fn two_users_who_come_at_once_are_both_served() {
    let daemon = daemon("[limits]\nconnections = { per-user = 50, total = 1000 }\n");
    if !users::are_several() {
        return;
    }
    let served = thread::scope(|scope| {
        [71_001, 71_002]
            .map(|uid| users::in_thread(scope, uid, || flood(&daemon.socket(), 120, 120).len()))
            .map(|flood| flood.join().expect("the flood is let in or not"))
    });
    assert_eq!(served, [50, 50], "each has his own share");
}
