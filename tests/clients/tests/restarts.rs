//! The journeys over a restart, with each library, each way to stop the daemon, and each kind of socket.

use clients::daemon::Manner;
use clients::journey;
use clients::stage::{Library, Manager, Stage};

macro_rules! restarts {
    ($($manner:ident: $asked_to_stop:literal $held:literal)*) => {
        $(mod $manner {
            use super::*;

            fn play(library: Library) {
                let stage = Stage { library, manager: Manager::Ours };
                let manner = Manner { asked_to_stop: $asked_to_stop, held: $held };
                for name in JOURNEYS {
                    journey::play_in_a_manner(stage, name, manner);
                }
            }

            #[test]
            fn with_the_stock_library() {
                play(Library::Stock);
            }

            #[test]
            fn with_our_library() {
                play(Library::Ours);
            }
        })*
    };
}

const JOURNEYS: [&str; 3] =
    ["a_daemon_that_was_restarted", "a_gap_between_two_daemons", "a_gap_where_nobody_listens"];

restarts! {
    killed_on_its_own_socket: false false
    killed_on_a_held_socket: false true
    asked_to_stop_on_its_own_socket: true false
    asked_to_stop_on_a_held_socket: true true
}
