use std::os::unix::fs::{chown, symlink};
use std::os::unix::net::UnixListener;

use super::*;

/// A directory of that mode, and the path of a socket in it.
fn place(name: &str, mode: u32) -> (PathBuf, PathBuf) {
    let directory =
        std::env::temp_dir().join(format!("scard-listen-{}-{name}", std::process::id()));
    DirBuilder::new().create(&directory).expect("a directory can be made");
    fs::set_permissions(&directory, Permissions::from_mode(mode)).expect("it is ours");
    let socket = directory.join("socket");
    (directory, socket)
}

#[test]
fn the_directory_decides_whether_a_socket_is_safe() {
    for (name, mode, safe) in [
        ("private", 0o700, true),
        ("public", 0o755, true),
        ("sticky", 0o1777, true),
        ("open", 0o757, false),
        ("world", 0o777, false),
    ] {
        let (directory, socket) = place(name, mode);
        match bind_at(&socket) {
            Ok(_) => assert!(safe, "{name}"),
            Err(ListenError::OpenDirectory(_, refused)) => {
                assert!(!safe, "{name}");
                assert_eq!(refused, mode);
            }
            Err(error) => panic!("{name}: {error}"),
        }
        assert_eq!(fs::read_dir(&directory).expect("it is ours").count(), 0, "{name}: left over");
        fs::remove_dir(directory).expect("it is empty");
    }
}

#[test]
fn what_belongs_to_strangers_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return println!("not run without root: a directory and a socket of another user");
    }
    let (directory, socket) = place("foreign", 0o755);
    drop(UnixListener::bind(&socket).expect("the path is free"));
    chown(&socket, Some(65_534), None).expect("root may");
    assert!(matches!(bind_at(&socket), Err(ListenError::ForeignSocket(65_534))));
    chown(&directory, Some(65_534), None).expect("root may");
    assert!(matches!(bind_at(&socket), Err(ListenError::ForeignDirectory(_, 65_534))));
    fs::remove_dir_all(directory).expect("it can be removed");
}

#[test]
fn a_socket_is_open_to_everybody_and_removed_with_its_daemon() {
    let (directory, socket) = place("mode", 0o700);
    let (_descriptor, bound) = bind_at(&socket).expect("the path is free");
    let mode = fs::metadata(&socket).expect("it is there").mode();
    assert_eq!(mode & 0o777, SOCKET_MODE);
    drop(bound);
    assert!(!socket.exists());
    fs::remove_dir(directory).expect("it is empty");
}

#[test]
fn a_live_socket_is_left_alone_even_when_its_backlog_is_full() {
    let (directory, socket) = place("live", 0o700);
    let (descriptor, _bound) = bind_at(&socket).expect("the path is free");
    assert!(matches!(bind_at(&socket), Err(ListenError::InUse)));
    listen(&descriptor, 0).expect("the backlog can be changed");
    let mut waiting = Vec::new();
    loop {
        let client = stream_socket(SocketFlags::NONBLOCK).expect("a socket can be made");
        let address = SocketAddrUnix::new(&socket).expect("the path is short");
        match connect(&client, &address) {
            Ok(()) => waiting.push(client),
            Err(error) => {
                assert_eq!(error, Errno::AGAIN);
                break;
            }
        }
    }
    assert!(matches!(bind_at(&socket), Err(ListenError::InUse)));
    drop(_bound);
    fs::remove_dir(directory).expect("it is empty");
}

#[test]
fn a_dead_socket_is_replaced_and_anything_else_is_not() {
    let (directory, socket) = place("dead", 0o700);
    drop(UnixListener::bind(&socket).expect("the path is free"));
    drop(bind_at(&socket).expect("nobody answers there"));

    fs::write(&socket, "precious").expect("the path is free");
    assert!(matches!(bind_at(&socket), Err(ListenError::NotASocket)));
    fs::remove_file(&socket).expect("it is ours");

    let other = directory.join("other");
    let _listener = UnixListener::bind(&other).expect("the path is free");
    symlink(&other, &socket).expect("the path is free");
    assert!(matches!(bind_at(&socket), Err(ListenError::NotASocket)));
    fs::remove_dir_all(directory).expect("it is ours");
}

#[test]
fn the_name_of_a_successor_is_not_removed() {
    let (directory, socket) = place("successor", 0o700);
    let (_first, bound) = bind_at(&socket).expect("the path is free");
    fs::remove_file(&socket).expect("it is ours");
    let (_second, successor) = bind_at(&socket).expect("the path is free");
    drop(bound);
    assert!(socket.exists());
    drop(successor);
    fs::remove_dir(directory).expect("it is empty");
}
