//! A private PostgreSQL server that lives as long as the process that started it.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use rand::RngExt;
use sha2::{Digest, Sha256};
use sqlx::{ConnectOptions, Connection};
use tokio::time::Instant;

use super::{folder::write_whole, port::KeptPort, programs, unprivileged::Unprivileged};
use legalstat_kit::schema;

/// How long the server may take to accept connections.
const STARTING: Duration = Duration::from_secs(60);
/// How many seconds an orphan may take to stop before it is stopped less gently.
const STOPPING: &str = "10";
/// Stops the server when the pipe that it reads is closed, which happens however this process ends. Ends when the server
/// ends. The pipe is read from descriptor 3, because a shell gives its background commands an empty standard input.
const GUARD: &str = r#"exec 3<&0 </dev/null
"$@" 3<&- & server=$!
(read _ <&3; kill -INT $server) & reader=$!
exec 3<&-
wait $server; status=$?
kill $reader 2>/dev/null
exit $status"#;

/// What kind of server to start.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// The folder of PostgreSQL's programs; `None` to look for it.
    pub bin: Option<PathBuf>,
    /// Where the server keeps its data.
    pub folder: PathBuf,
    /// Whether data must survive a crash of the machine; tests need not.
    pub durable: bool,
}

/// How often a server is tried to be started again: what an earlier one has left, such as its shared memory, may take a
/// moment to go.
const TRIES: u32 = 20;
/// How long between two tries, and between two looks at whether it still runs.
const PAUSE: Duration = Duration::from_millis(250);

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Cluster {
    /// Kept, so that nobody else has it when the server has ended and is started again.
    port: KeptPort,
    password: String,
    guard: Child,
    pipe: Option<ChildStdin>,
    place: Place,
    durable: bool,
}

/// Where a server runs, and as whom.
#[derive(Clone, Debug)]
struct Place {
    bin: PathBuf,
    folder: PathBuf,
    user: Option<Unprivileged>,
}

impl Place {
    fn prepare(options: &ClusterOptions) -> anyhow::Result<Self> {
        let bin = programs::find(options.bin.as_deref())?;
        fs::create_dir_all(&options.folder).with_context(|| format!("making {}", options.folder.display()))?;
        let folder = options.folder.canonicalize()?;
        if !nix::unistd::geteuid().is_root() {
            return Ok(Self {
                bin,
                folder,
                user: None,
            });
        }
        if let Some(owner) = Unprivileged::owner(&folder) {
            return Ok(Self {
                bin,
                folder,
                user: Some(owner),
            });
        }
        let user = Unprivileged::usual()?;
        let folder = if user.reaches(&folder) {
            folder
        } else {
            elsewhere(&folder)?
        };
        user.owns(&folder)?;
        Ok(Self {
            bin,
            folder,
            user: Some(user),
        })
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.folder)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null());
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let output = self.command(&self.bin.join(program)).args(arguments).output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        anyhow::ensure!(output.status.success(), "{program} failed: {}", said.trim());
        Ok(())
    }

    /// Makes the data folder at the first start. One that was cut off half way is made again.
    fn initialise(&self, durable: bool) -> anyhow::Result<()> {
        if self.data().join("PG_VERSION").exists() {
            return Ok(());
        }
        let (new, password_file) = (self.folder.join("data.new"), self.folder.join("password"));
        if new.exists() {
            fs::remove_dir_all(&new)?;
        }
        let password: [u8; 24] = rand::rng().random();
        write_whole(&password_file, hex::encode(password).as_bytes(), 0o600)?;
        if let Some(user) = &self.user {
            user.owns(&password_file)?;
        }
        let (new_text, password_option) = (
            new.display().to_string(),
            format!("--pwfile={}", password_file.display()),
        );
        let mut arguments = vec![
            "-D",
            &new_text,
            &password_option,
            "--username=postgres",
            "--auth=scram-sha-256",
        ];
        arguments.extend(["--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]);
        if !durable {
            arguments.push("--no-sync");
        }
        self.run("initdb", &arguments)?;
        fs::rename(&new, self.data()).context("keeping the new data folder")
    }

    /// Stops a server that outlived the process that had started it.
    fn stop_orphan(&self) -> anyhow::Result<()> {
        let Some(line) = self.recorded() else { return Ok(()) };
        let data = self.data().display().to_string();
        // The number in the file proves nothing: after a crash of the machine another process may have it.
        let ours = format!(" -D {data} ");
        if !line.contains(&ours) {
            // PostgreSQL believes that a process is alive when it has ended but nobody has waited for it.
            if line.is_empty()
                && let Err(error) = fs::remove_file(self.pid_file())
                // A server that has just ended takes its file away itself.
                && error.kind() != std::io::ErrorKind::NotFound
            {
                return Err(error).context("removing what an ended PostgreSQL server left");
            }
            return Ok(());
        }
        tracing::warn!("a PostgreSQL server of an earlier run is still there; stopping it");
        let mut refused = None;
        for mode in ["fast", "immediate"] {
            refused = self
                .run("pg_ctl", &["stop", "-D", &data, "-m", mode, "-w", "-t", STOPPING])
                .err();
            // pg_ctl finds nothing to stop when the server has ended by itself.
            if refused.is_none() || !self.recorded().is_some_and(|line| line.contains(&ours)) {
                return Ok(());
            }
        }
        refused.map_or(Ok(()), |error| {
            Err(error.context("stopping the PostgreSQL server of an earlier run"))
        })
    }

    fn pid_file(&self) -> PathBuf {
        self.data().join("postmaster.pid")
    }

    /// The command line of the process that the data folder names as its server, if there is such a process.
    fn recorded(&self) -> Option<String> {
        let text = fs::read_to_string(self.pid_file()).ok()?;
        let pid: u32 = text.lines().next()?.trim().parse().ok()?;
        if Path::new("/proc/self/cmdline").exists() {
            let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            return Some(String::from_utf8_lossy(&line).replace('\0', " "));
        }
        let output = Command::new("ps")
            .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn spawn(&self, port: u16, durable: bool) -> anyhow::Result<Child> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log())?;
        if let Some(user) = &self.user {
            user.owns(&self.log())?;
        }
        let (port, data) = (format!("port={port}"), self.data().display().to_string());
        let mut settings = vec![port.as_str(), "listen_addresses=127.0.0.1", "unix_socket_directories="];
        settings.extend(["max_connections=200", "shared_buffers=64MB"]);
        if !durable {
            settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"]);
        }
        let mut guard = self.command(Path::new("/bin/sh"));
        guard
            .args(["-c", GUARD, "sh"])
            .arg(self.bin.join("postgres"))
            .args(["-D", &data]);
        guard.args(settings.into_iter().flat_map(|setting| ["-c", setting]));
        // Its own group, so that Ctrl-C reaches it only after the services have stopped.
        guard
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log);
        guard.spawn().context("starting PostgreSQL")
    }
}

/// A folder that the unprivileged user can reach, the same at every start.
fn elsewhere(folder: &Path) -> anyhow::Result<PathBuf> {
    let name = hex::encode(&Sha256::digest(folder.as_os_str().as_encoded_bytes())[..8]);
    let elsewhere = Path::new("/var/lib/legalstat").join(name);
    fs::create_dir_all(&elsewhere).with_context(|| format!("making {}", elsewhere.display()))?;
    for folder in elsewhere.ancestors().take(2) {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o711))?;
    }
    let note = format!("The database of this system is in {}.\n", elsewhere.display());
    write_whole(&folder.join("README"), note.as_bytes(), 0o644)?;
    Ok(elsewhere)
}

impl Cluster {
    /// Starts the server, after stopping an orphan of an earlier run, and waits until it accepts connections.
    ///
    /// # Errors
    /// [`programs::PostgresMissing`] when there is no PostgreSQL, or what PostgreSQL says.
    pub async fn start(options: &ClusterOptions) -> anyhow::Result<Self> {
        let place = Place::prepare(options)?;
        place.initialise(options.durable)?;
        place.stop_orphan()?;
        let password = fs::read_to_string(place.folder.join("password")).context("reading the superuser's password")?;
        for _ in 0..5 {
            let port = KeptPort::take()?;
            let mut guard = place.spawn(port.number(), options.durable)?;
            let pipe = guard.stdin.take();
            let mut cluster = Self {
                port,
                password: password.clone(),
                guard,
                pipe,
                place: place.clone(),
                durable: options.durable,
            };
            if cluster.is_ready().await.with_context(|| place.log_tail())? {
                return Ok(cluster);
            }
        }
        anyhow::bail!("PostgreSQL did not start:\n{}", place.log_tail())
    }

    /// Waits until the server ends by itself.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        while self.guard.try_wait()?.is_none() {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// The last lines of its log.
    pub fn last_lines(&self) -> String {
        self.place.log_tail()
    }

    /// Starts a server that has ended again, on the same port, and waits until it accepts connections.
    ///
    /// # Errors
    /// The last lines of what PostgreSQL says when it does not start.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        for _ in 0..TRIES {
            // Only what guards it may have ended, and the server go on.
            self.place.stop_orphan()?;
            self.guard = self.place.spawn(self.port.number(), self.durable)?;
            self.pipe = self.guard.stdin.take();
            if self.is_ready().await.with_context(|| self.place.log_tail())? {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        anyhow::bail!(
            "PostgreSQL has ended and does not start again:\n{}",
            self.place.log_tail()
        )
    }

    /// Waits for the first connection; false when the server ended instead.
    async fn is_ready(&mut self) -> anyhow::Result<bool> {
        let options = schema::options(&self.admin_url("postgres"))?;
        let deadline = Instant::now() + STARTING;
        while Instant::now() < deadline {
            if let Ok(connection) = options.connect().await {
                connection.close().await?;
                return Ok(true);
            }
            if self.guard.try_wait()?.is_some() {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        anyhow::bail!("PostgreSQL did not accept connections within {STARTING:?}")
    }

    /// The URL of a database as the superuser.
    pub fn admin_url(&self, database: &str) -> String {
        format!(
            "postgres://postgres:{}@127.0.0.1:{}/{database}",
            self.password,
            self.port()
        )
    }

    /// The port it listens on, on this machine only.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Stops the server and waits until it has ended.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.pipe.take());
        while self.guard.try_wait()?.is_none() {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.pipe.take());
        self.guard.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn rows(cluster: &Cluster) -> i64 {
        let mut connection = schema::options(&cluster.admin_url("postgres"))
            .expect("a URL")
            .connect()
            .await
            .expect("it runs");
        sqlx::raw_sql("CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (1)")
            .execute(&mut connection)
            .await
            .expect("written");
        sqlx::query_scalar("SELECT count(*) FROM kept")
            .fetch_one(&mut connection)
            .await
            .expect("read")
    }

    fn folder() -> (tempfile::TempDir, ClusterOptions) {
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).expect("others may pass");
        let options = ClusterOptions {
            bin: None,
            folder: folder.path().join("postgres"),
            durable: true,
        };
        (folder, options)
    }

    #[tokio::test]
    async fn data_stay_over_a_stop_and_over_an_orphan() {
        let (_folder, options) = folder();
        let cluster = Cluster::start(&options).await.expect("it starts");
        assert_eq!(rows(&cluster).await, 1);
        cluster.stop().await.expect("it stops");

        let mut orphaned = Cluster::start(&options).await.expect("it starts again");
        assert_eq!(rows(&orphaned).await, 2);
        // The guard dies without a chance to stop the server, as after kill -9.
        orphaned.guard.kill().expect("it runs");
        orphaned.guard.wait().expect("it ended");
        assert_eq!(rows(&orphaned).await, 3);
        let next = Cluster::start(&options).await.expect("the orphan was stopped");
        assert_eq!(rows(&next).await, 4);
        next.stop().await.expect("it stops");
    }

    #[tokio::test]
    async fn a_server_that_has_ended_is_started_again_where_it_was_or_says_why_not() {
        let (_folder, options) = folder();
        let mut cluster = Cluster::start(&options).await.expect("it starts");
        assert_eq!(rows(&cluster).await, 1);
        let kill = |cluster: &Cluster| {
            let file = fs::read_to_string(cluster.place.pid_file()).expect("it runs");
            let process = file
                .lines()
                .next()
                .and_then(|line| line.parse().ok())
                .expect("a process");
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), nix::sys::signal::SIGKILL).expect("it runs");
        };
        kill(&cluster);
        cluster.ended().await.expect("it is seen");
        let port = cluster.port();
        cluster.restart().await.expect("it starts again");
        assert_eq!((rows(&cluster).await, cluster.port()), (2, port));

        fs::write(options.folder.join("data/postgresql.auto.conf"), "no_such_setting = on").expect("written");
        kill(&cluster);
        cluster.ended().await.expect("it is seen");
        let said = cluster.restart().await.expect_err("the setting is unknown").to_string();
        assert!(said.contains("no_such_setting"), "{said}");
    }

    #[tokio::test]
    async fn a_first_start_that_was_cut_off_is_begun_again() {
        let (_folder, options) = folder();
        fs::create_dir_all(options.folder.join("data.new/base")).expect("half a data folder");
        fs::write(options.folder.join("password"), "of the first try").expect("written");
        let cluster = Cluster::start(&options).await.expect("it starts");
        assert_eq!(rows(&cluster).await, 1);
    }

    #[tokio::test]
    async fn a_server_that_cannot_start_says_why_without_delay() {
        let (_folder, options) = folder();
        Cluster::start(&options)
            .await
            .expect("it starts")
            .stop()
            .await
            .expect("it stops");
        fs::write(options.folder.join("data/postgresql.auto.conf"), "no_such_setting = on").expect("written");
        let started = tokio::time::timeout(STARTING / 2, Cluster::start(&options))
            .await
            .expect("it does not wait");
        let said = started.expect_err("the setting is unknown").to_string();
        assert!(said.contains("no_such_setting"), "{said}");
    }
}
