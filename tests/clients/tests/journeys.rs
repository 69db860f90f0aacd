//! Every journey, with each library on each daemon.

use clients::journey;
use clients::stage::{Library, Manager, Stage};

/// One test for each journey and stage, so that each has a name.
macro_rules! journeys {
    ($($name:ident)*) => {
        journeys! { @stage stock_library_on_scard Stock Ours $($name)* }
        journeys! { @stage our_library_on_scard Ours Ours $($name)* }
        journeys! { @stage our_library_on_debian_pcscd Ours DebianPcscd $($name)* }
        journeys! { @stage stock_library_on_debian_pcscd Stock DebianPcscd $($name)* }

        #[test]
        fn every_journey_is_played() {
            let mut files: Vec<String> = std::fs::read_dir(journey::folder())
                .unwrap()
                .map(|file| file.unwrap().file_name().to_string_lossy().replace(".txt", ""))
                .collect();
            files.sort();
            let mut names = [$(stringify!($name)),*];
            names.sort_unstable();
            assert_eq!(files, names);
        }
    };
    (@stage $stage:ident $library:ident $manager:ident $($name:ident)*) => {
        mod $stage {
            use super::*;

            const STAGE: Stage = Stage { library: Library::$library, manager: Manager::$manager };

            $(#[test]
            fn $name() {
                journey::play(STAGE, stringify!($name));
            })*
        }
    };
}

journeys! {
    a_card_comes_and_goes
    a_daemon_that_was_restarted
    a_direct_handle_needs_no_card
    a_gap_between_two_daemons
    a_gap_where_nobody_listens
    a_holder_that_dies_frees_the_card
    a_removal_ends_the_transaction
    a_removed_card_stays_removed
    a_reset_is_told_to_the_others
    a_transaction_is_handed_over
    a_waiter_that_dies_leaves_no_trace
    an_end_with_reset_is_told_to_everybody
    attributes_that_programs_ask_for
    buffers_that_are_too_small
    cancel_ends_a_wait
    connect_waits_for_the_transaction
    contexts_come_and_go
    control_and_attributes_do_not_wait
    disconnect_with_reset_waits_for_the_transaction
    exclusive_keeps_others_out
    names_that_are_no_readers
    other_calls_wait_for_the_transaction
    plug_and_play_is_known
    protocols_are_agreed_once
    sharing_is_seen
    two_contexts_of_one_program
    two_threads_of_one_context
    waiters_are_served_in_order
}
