//! polkit itself, on a bus of its own, with the policy file that we ship and a rule as administrators write them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use clients::child::Talker;
use clients::judge::{Said, said};
use clients::stage::dist;

const NOBODY: u32 = 65_534;
/// `daemon` and `bin`, which every Debian has.
const NAMED: u32 = 1;
const UNNAMED: u32 = 2;

/// The first user may use the daemon, and every reader but one.
const RULE: &str = r#"
polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.debian.pcsc-lite.access_") == 0
        && subject.user == "daemon" && action.lookup("reader") != "Other")
        return polkit.Result.YES;
});
"#;

/// A bus on which everybody may do everything.
const BUS: &str = r#"
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=FOLDER/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"#;

/// polkit sees our files where it looks for files. Bus and polkit end with the shell's input.
const POLKIT: &str = r#"
mount -t tmpfs tmpfs /usr/share/polkit-1/actions && mount -t tmpfs tmpfs /etc/polkit-1/rules.d || exit
chmod 755 /etc/polkit-1/rules.d
cp "$0/scard.policy" /usr/share/polkit-1/actions/ && cp "$0/scard.rules" /etc/polkit-1/rules.d/ || exit
mkfifo "$0/ready"
dbus-daemon --config-file="$0/bus.conf" --nofork --print-address=3 3>"$0/ready" </dev/null &
bus=$!
read -r address <"$0/ready" || exit
/usr/lib/polkit-1/polkitd </dev/null &
cat >/dev/null
kill $! $bus
wait
"#;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    /// With our programs in it, where every user may run them.
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("scard-polkit-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("a folder of its own");
        let folder = Self(folder);
        for program in ["scard", "scard-rm"] {
            fs::copy(dist().join("bin").join(program), folder.0.join(program)).expect("dist is");
        }
        fs::create_dir(folder.0.join("run")).expect("a folder for the socket");
        chown(folder.0.join("run"), Some(NOBODY), Some(NOBODY)).expect("we are root");
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.0.join(name);
        fs::write(&file, text).expect("our own folder");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("our own file");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.0.join("log")).unwrap_or_default();
            eprintln!("--- what the daemon said ---\n{log}---");
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// polkit and its bus; its shell ends both when its input ends, killing it would not.
struct Polkit(Talker);

impl Polkit {
    fn start(folder: &Folder, bus: &str) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", POLKIT]).arg(&folder.0);
        let polkit = Self(Talker::start("polkit", command.env("DBUS_SYSTEM_BUS_ADDRESS", bus)));
        while !polkit.0.hear().contains("Acquired the name") {}
        polkit
    }
}

impl Drop for Polkit {
    fn drop(&mut self) {
        self.0.stop();
    }
}

fn as_user(uid: u32, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    let uid = uid.to_string();
    command.args(["--reuid", &uid, "--regid", &uid, "--clear-groups", "--"]).arg(program);
    command
}

#[test]
fn polkit_lets_in_whom_its_rules_name() {
    let folder = Folder::new();
    let shipped = dist().join("share/polkit-1/actions/org.debian.pcsc-lite.policy");
    let shipped = fs::read_to_string(shipped).expect("dist is laid out");
    // polkit answers questions about others to the owner of an action only; here that is nobody.
    folder.write("scard.policy", &shipped.replace("unix-user:scard-rm", "unix-user:nobody"));
    folder.write("scard.rules", RULE);
    folder.write(
        "bus.conf",
        BUS.trim_start().replace("FOLDER", &folder.0.to_string_lossy()).as_str(),
    );
    folder.write("config", "access = \"polkit\"\n");
    let bus = format!("unix:path={}", folder.0.join("bus").display());
    let _polkit = Polkit::start(&folder, &bus);

    let socket = folder.0.join("run/socket");
    let mut daemon = as_user(NOBODY, &folder.0.join("scard-rm"));
    daemon.arg("--config").arg(folder.0.join("config")).arg("--socket").arg(&socket);
    daemon.args(["--reader", "sim:piv,name=One", "--reader", "sim:piv,name=Other"]);
    daemon
        .args(["--ready-fd", "1", "--exit-on-eof-of-fd", "0"])
        .env("DBUS_SYSTEM_BUS_ADDRESS", &bus);
    daemon.stderr(fs::File::create(folder.0.join("log")).expect("a log"));
    let mut daemon = Talker::start("scard-rm", &mut daemon);
    assert_eq!(daemon.hear(), "ready");

    let scard = |uid, arguments: &[&str]| -> Said {
        let mut command = as_user(uid, &folder.0.join("scard"));
        said(command.args(arguments).env("SCARD_SOCKET", &socket), "")
    };
    let select = "00A4040005A000000308";
    scard(NAMED, &["apdu", "--reader", "One", select]).succeeds();
    scard(NAMED, &["apdu", "--reader", "Other", select]).says(&["SCARD_W_SECURITY_VIOLATION"]);
    scard(UNNAMED, &["list"]).says(&["SCARD_W_SECURITY_VIOLATION"]);
    let log = fs::read_to_string(folder.0.join("log")).expect("a log");
    assert!(log.contains("polkit does not authorize org.debian.pcsc-lite.access_card"), "{log}");
    assert!(log.contains("polkit does not authorize org.debian.pcsc-lite.access_pcsc"), "{log}");
    daemon.stop();
}
