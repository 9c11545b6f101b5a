//! Cyrus, from Debian: the strictest CalDAV server there is. It runs as `cyrus` when root starts it, and else as whoever
//! does.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::{Lacking, Leashed, PASSWORD, TRIES, USER, folder, free_port, listens, said, written};

/// Where Debian puts its programs.
const PROGRAMS: &str = "/usr/lib/cyrus/bin";
/// Somebody must make her account, and only an administrator may.
const ADMIN: &str = "admin";

/// A Cyrus with an account of [`USER`] and nothing in it but the calendar that it makes for everybody.
pub struct Cyrus {
    /// Where an account is looked for, as she would type it.
    pub url: String,
    _server: Leashed,
    _folder: TempDir,
}

impl Cyrus {
    /// # Errors
    /// When it cannot be had on this computer.
    pub fn start() -> Result<Self, Lacking> {
        if !Path::new(PROGRAMS).join("httpd").exists() {
            return Err(Lacking("cyrus-imapd and cyrus-caldav are not installed".to_owned()));
        }
        let folder = folder()?;
        laid_out(folder.path())?;
        for _ in 0..TRIES {
            let (http, imap) = (free_port()?, free_port()?);
            let mut server = begun(folder.path(), http, imap)?;
            if listens(&mut server.0, imap)? && listens(&mut server.0, http)? {
                let url = format!("http://127.0.0.1:{http}/");
                let started = Self { url, _server: server, _folder: folder };
                account(imap).map_err(|error| Lacking(format!("Cyrus makes no account: {error}")))?;
                return Ok(started);
            }
        }
        Err(Lacking("Cyrus does not start".to_owned()))
    }

    /// Where her calendars are.
    #[must_use]
    pub fn home(&self) -> String {
        format!("/dav/calendars/user/{USER}/")
    }
}

fn laid_out(folder: &Path) -> Result<(), Lacking> {
    for name in ["db", "socket", "log", "msg", "ptclient", "proc", "user", "quota"] {
        let made = std::fs::create_dir_all(folder.join("conf").join(name));
        made.map_err(|error| Lacking(format!("no folder can be made: {error}")))?;
    }
    for name in ["spool", "proc", "lock", "socket"] {
        let made = std::fs::create_dir_all(folder.join(name));
        made.map_err(|error| Lacking(format!("no folder can be made: {error}")))?;
    }
    let realm = said(&mut Command::new("hostname"))?;
    for user in [USER, ADMIN] {
        let mut command = Command::new("saslpasswd2");
        command.args(["-p", "-c", "-f"]).arg(folder.join("passwords")).args(["-u", &realm, user]);
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut child = spawned.map_err(|error| Lacking(format!("saslpasswd2 cannot be run: {error}")))?;
        if let Some(stdin) = &mut child.stdin {
            let _ = stdin.write_all(PASSWORD.as_bytes());
        }
        drop(child.stdin.take());
        if !child.wait().is_ok_and(|status| status.success()) {
            return Err(Lacking("saslpasswd2 takes no password".to_owned()));
        }
    }
    Ok(())
}

fn begun(folder: &Path, http: u16, imap: u16) -> Result<Leashed, Lacking> {
    let root = said(Command::new("id").arg("-u"))? == "0";
    let user = if root { "cyrus".to_owned() } else { said(Command::new("id").arg("-un"))? };
    let place = folder.display();
    written(
        &folder.join("imapd.conf"),
        &format!(
            "configdirectory: {place}/conf\nproc_path: {place}/proc\nmboxname_lockpath: {place}/lock\n\
             defaultpartition: default\npartition-default: {place}/spool\nadmins: {ADMIN}\ncyrus_user: {user}\n\
             allowplaintext: yes\nhttpallowplaintext: yes\nsasl_mech_list: PLAIN\nsasl_pwcheck_method: auxprop\n\
             sasl_auxprop_plugin: sasldb\nsasl_sasldb_path: {place}/passwords\nhttpmodules: caldav\n\
             unixhierarchysep: on\nlmtpsocket: {place}/socket/lmtp\nidlesocket: {place}/socket/idle\n\
             notifysocket: {place}/socket/notify\n"
        ),
    )?;
    written(
        &folder.join("cyrus.conf"),
        &format!(
            "START {{\n recover cmd=\"{PROGRAMS}/ctl_cyrusdb -C {place}/imapd.conf -r\"\n}}\nSERVICES {{\n\
             imap cmd=\"{PROGRAMS}/imapd -C {place}/imapd.conf\" listen=\"127.0.0.1:{imap}\" prefork=0\n\
             http cmd=\"{PROGRAMS}/httpd -C {place}/imapd.conf\" listen=\"127.0.0.1:{http}\" prefork=0\n}}\nEVENTS {{\n}}\n"
        ),
    )?;
    if root {
        said(Command::new("chown").args(["-R", "cyrus"]).arg(folder))?;
    }
    let mut command = Command::new(Path::new(PROGRAMS).join("master"));
    command.arg("-C").arg(folder.join("imapd.conf")).arg("-M").arg(folder.join("cyrus.conf"));
    command.arg("-p").arg(folder.join("master.pid")).arg("-D");
    // Its children would wait for their idle connections; on a leash they end with it.
    Leashed::begin(&command)
}

/// Makes her account as its administrator does, over IMAP.
fn account(port: u16) -> std::io::Result<()> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    answers.read_line(&mut line)?;
    for command in [format!("a LOGIN {ADMIN} \"{PASSWORD}\""), format!("b CREATE user/{USER}")] {
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        loop {
            line.clear();
            if answers.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if line.starts_with("* ") {
                continue;
            }
            if !line[1..].starts_with(" OK") {
                return Err(std::io::Error::other(line.trim().to_owned()));
            }
            break;
        }
    }
    stream.write_all(b"c LOGOUT\r\n")
}
