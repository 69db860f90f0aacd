use super::*;
use crate::config::ConfigFile;

fn policy(text: &str) -> Policy {
    let file: ConfigFile = toml::from_str(text).expect("the configuration is well-formed");
    Policy::new(&file.access_table(), &file.reader_rule)
}

fn verdict(policy: &Policy, uid: u32, groups: &[u32], reader: Option<&str>) -> Verdict {
    let reader = reader.map(|name| Wanted { name, driver: "sim" });
    policy.judge(uid, || groups.to_vec(), reader)
}

#[test]
fn what_is_not_written_lets_everybody_in() {
    let open = policy("");
    assert!(open.is_open());
    assert_eq!(verdict(&open, 4_321, &[], None), Verdict::Granted);
    assert!(policy("[[reader-rule]]\nidle-transaction-ms = 5").is_open());
}

#[test]
fn who_stands_in_a_list_is_let_in_and_nobody_is_asked() {
    for mode in ["local", "seat", "polkit"] {
        let text = format!("access = \"{mode}\"\nallow-users = [4321]\nallow-groups = [99]");
        let policy = policy(&text);
        assert_eq!(verdict(&policy, 4_321, &[], None), Verdict::Granted);
        assert_eq!(verdict(&policy, 4_322, &[4_322, 99], None), Verdict::Granted);
        assert_eq!(verdict(&policy, 0, &[], None), Verdict::Granted, "root always may");
        let ourselves = rustix::process::geteuid().as_raw();
        assert_eq!(verdict(&policy, ourselves, &[], None), Verdict::Granted);
    }
}

#[test]
fn who_stands_in_no_list_is_told_from_the_mode() {
    for (text, expected) in [
        ("allow-users = [4321]", Verdict::NotListed),
        ("allow-users = []", Verdict::NotListed),
        ("allow-groups = [99]", Verdict::NotListed),
        ("access = \"seat\"", Verdict::AskLogind),
        ("access = \"polkit\"\nallow-users = [4321]", Verdict::AskPolkit),
    ] {
        let policy = policy(text);
        assert!(!policy.is_open());
        assert_eq!(verdict(&policy, 65_534, &[65_534], None), expected, "{text}");
    }
}

#[test]
fn the_first_rule_that_says_something_of_a_reader_counts_for_it() {
    let policy = policy(
        "access = \"polkit\"\n\
         [[reader-rule]]\nname = \"R 0?\"\nidle-transaction-ms = 7\n\
         [[reader-rule]]\nname = \"R *\"\nallow-users = [4321]\n\
         [[reader-rule]]\ndriver = \"sim\"\naccess = \"seat\"\nidle-transaction-ms = 8\n",
    );
    assert_eq!(verdict(&policy, 4_321, &[], None), Verdict::AskPolkit);
    assert_eq!(verdict(&policy, 4_321, &[], Some("R 01")), Verdict::Granted);
    assert_eq!(verdict(&policy, 4_322, &[], Some("R 01")), Verdict::NotListed);
    assert_eq!(verdict(&policy, 4_321, &[], Some("S")), Verdict::AskLogind);
    let other = Wanted { name: "S", driver: "ccid" };
    assert_eq!(policy.judge(4_321, Vec::new, Some(other)), Verdict::AskPolkit);
    let idle = |name| policy.idle_transaction(Wanted { name, driver: "sim" });
    assert_eq!((idle("R 01"), idle("R 11")), (Some(Millis(7)), Some(Millis(8))));
    assert_eq!(policy.idle_transaction(other), None);
    let wanted = Wanted { name: "R 01", driver: "sim" };
    let rule = policy.written(Some(wanted)).to_string();
    assert_eq!(rule, "[[reader-rule]] name = \"R *\", access = \"local\"");
}

#[test]
fn names_are_looked_up_and_one_that_nobody_has_lets_nobody_in() {
    let policy =
        policy("allow-users = [\"daemon\", \"no-such-user\"]\nallow-groups = [\"daemon\"]");
    assert_eq!(verdict(&policy, 1, &[], None), Verdict::Granted);
    assert_eq!(verdict(&policy, 4_321, &[1], None), Verdict::Granted);
    assert_eq!(verdict(&policy, 4_321, &[4_321], None), Verdict::NotListed);
}

#[test]
fn a_word_that_is_no_rule_is_an_error() {
    for text in [
        "access = \"everybody\"",
        "allow-users = \"daemon\"",
        "allow-users = [-1]",
        "[[reader-rule]]\nreader = \"R\"",
    ] {
        assert!(toml::from_str::<ConfigFile>(text).is_err(), "{text}");
    }
}
