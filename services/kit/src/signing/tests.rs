use std::{fs, os::unix::fs::PermissionsExt as _};

use proto::SigningKeyState::{Announced, InUse, Retired};
use ring::{
    hmac,
    signature::{ED25519, UnparsedPublicKey},
};
use tempfile::TempDir;

use super::*;

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn put(folder: &TempDir, name: &str, content: &str) {
    put_with(folder, name, content, 0o600);
}

fn put_with(folder: &TempDir, name: &str, content: &str, mode: u32) {
    let path = folder.path().join(name);
    fs::write(&path, content).expect("it is written");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

fn key(seed: u8, signs_from: &str) -> String {
    file_of(&[seed; 32], instant(signs_from))
}

fn folder(keys: &[(&str, u8, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (id, seed, signs_from) in keys {
        put(&folder, &format!("{id}.pem"), &key(*seed, signs_from));
    }
    folder
}

fn read(folder: &TempDir) -> Keys {
    Keys::read(folder.path()).unwrap_or_else(|error| panic!("{error:#}"))
}

/// The public part as a file: what an operator leaves of a key whose private part is destroyed.
fn public_file(key: &Key) -> String {
    let der = [
        &hex::decode("302a300506032b6570032100").expect("it is hexadecimal")[..],
        &key.public,
    ]
    .concat();
    format!(
        "Signs-From: {}\n{}",
        key.signs_from,
        pem::encode(&pem::Pem::new("PUBLIC KEY", der))
    )
}

const TWO: [(&str, u8, &str); 2] = [
    ("2026-a", 1, "2026-01-01T00:00:00Z"),
    ("2027-a", 2, "2027-01-01T00:00:00Z"),
];

#[test]
fn the_key_that_began_last_signs_and_the_next_is_announced() {
    let keys = read(&folder(&TWO));
    for (now, in_use, states) in [
        ("2026-06-01T00:00:00Z", "2026-a", [InUse, Announced]),
        ("2026-12-31T23:59:59.999Z", "2026-a", [InUse, Announced]),
        ("2027-01-01T00:00:00Z", "2027-a", [Retired, InUse]),
        // The clock was set back before all of them.
        ("2025-01-01T00:00:00Z", "2026-a", [InUse, Announced]),
    ] {
        let now = instant(now);
        assert_eq!(keys.in_use(now).id, in_use, "{now}");
        let listed = keys.listed(now);
        assert_eq!(
            listed.iter().map(proto::SigningKey::state).collect::<Vec<_>>(),
            states,
            "{now}"
        );
        let times = listed.iter().map(|key| {
            (
                key.valid_from.map(|from| from.seconds),
                key.valid_to.map(|to| to.seconds),
            )
        });
        let (first, second) = (1_767_225_600, 1_798_761_600);
        assert_eq!(
            times.collect::<Vec<_>>(),
            [(Some(first), Some(second)), (Some(second), None)]
        );
    }
}

#[test]
fn what_a_key_signs_is_verified_with_what_is_listed_of_it() {
    let keys = read(&folder(&TWO));
    for listed in keys.listed(instant("2026-06-01T00:00:00Z")) {
        let signature = keys
            .get(&listed.id)
            .and_then(|key| key.sign(b"a coupon"))
            .expect("it signs");
        let public = UnparsedPublicKey::new(&ED25519, &listed.public_key);
        public.verify(b"a coupon", &signature).expect("it is the key's");
        public.verify(b"another", &signature).expect_err("it is of a coupon");
    }
}

/// RFC 8032, section 7.1, test 1.
#[test]
fn a_key_signs_as_the_standard_says() {
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let seed: [u8; 32] = hex::decode(seed)
        .expect("it is hexadecimal")
        .try_into()
        .expect("32 bytes");
    let folder = tempfile::tempdir().expect("a folder");
    put(&folder, "rfc.pem", &file_of(&seed, instant("2026-01-01T00:00:00Z")));
    let keys = read(&folder);
    let key = keys.get("rfc").expect("it is there");
    assert_eq!(
        hex::encode(key.public),
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    );
    assert_eq!(
        hex::encode(key.sign(b"").expect("it signs")),
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    );
}

#[test]
fn a_derived_key_is_of_its_purpose_and_its_key_alone() {
    let keys = read(&folder(&TWO));
    let tag = |id: &str, purpose: &str| {
        let derived = keys.get(id).and_then(|key| key.derived(purpose)).expect("it signs");
        hmac::sign(&derived, b"a number").as_ref().to_vec()
    };
    let tags = [tag("2026-a", "one"), tag("2026-a", "other"), tag("2027-a", "one")];
    assert_eq!(tags[0], tag("2026-a", "one"));
    assert!(tags[0] != tags[1] && tags[0] != tags[2] && tags[1] != tags[2]);
}

#[test]
fn a_key_whose_private_part_is_destroyed_is_listed_and_signs_nothing() {
    let folder = folder(&TWO);
    let old = public_file(read(&folder).get("2026-a").expect("it is there"));
    // Whoever may read a public key may.
    put_with(&folder, "2026-a.pem", &old, 0o644);
    let keys = read(&folder);
    let key = keys.get("2026-a").expect("it is there");
    assert!(!key.signs() && key.sign(b"").is_none() && key.derived("one").is_none());
    let now = instant("2027-06-01T00:00:00Z");
    assert_eq!(keys.listed(now).len(), 2);
    assert_eq!(keys.in_use(now).id, "2027-a");
    fs::remove_file(folder.path().join("2027-a.pem")).expect("it was there");
    let refused = Keys::read(folder.path()).err().expect("nothing signs").to_string();
    assert!(refused.contains("none has its private part"), "{refused}");
}

#[test]
fn a_key_made_by_another_program_is_read() {
    // `openssl genpkey -algorithm ed25519`, which has the seed alone, and a PKCS#8 with the public key behind it.
    let folder = tempfile::tempdir().expect("a folder");
    let openssl = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    put(
        &folder,
        "openssl.pem",
        &format!("Signs-From: 2026-01-01T05:00:00+05:00\n\n{openssl}"),
    );
    let random = ring::rand::SystemRandom::new();
    let der = ring::signature::Ed25519KeyPair::generate_pkcs8(&random).expect("it is made");
    let ring = pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref()));
    put(
        &folder,
        "ring.pem",
        &format!("Signs-From: 2026-01-02T00:00:00Z\n{ring}"),
    );
    let keys = read(&folder);
    let key = keys.get("openssl").expect("it is there");
    // RFC 8410, section 10.1 and 10.3.
    assert_eq!(
        hex::encode(key.public),
        "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
    );
    assert_eq!(key.signs_from, instant("2026-01-01T00:00:00Z"));
    assert!(keys.get("ring").is_some_and(Key::signs));
}

#[test]
fn what_cannot_be_used_is_refused_by_its_name() {
    let sound = key(1, "2026-01-01T00:00:00Z");
    let (_, block) = sound.split_once('\n').expect("two parts");
    let certificate = pem::encode(&pem::Pem::new("CERTIFICATE", [1, 2, 3]));
    for (name, content, mode, told) in [
        ("notes.txt", sound.as_str(), 0o600, "its name is not that of a key"),
        ("A.pem", &sound, 0o600, "its name is not that of a key"),
        ("-a.pem", &sound, 0o600, "its name is not that of a key"),
        (".pem.pem", "", 0o600, ""),
        ("a.pem", "", 0o600, "it is not PEM"),
        (
            "a.pem",
            "Signs-From: 2026-01-01T00:00:00Z\n-----BEGIN PRIVATE KEY-----\n!\n",
            0o600,
            "it is not PEM",
        ),
        ("a.pem", block, 0o600, "no line `Signs-From:"),
        (
            "a.pem",
            &format!("Signs-From: soon\n{block}"),
            0o600,
            "not followed by an instant",
        ),
        (
            "a.pem",
            &format!("Signs-From: 2026-01-01\n{sound}"),
            0o600,
            "not followed by an instant",
        ),
        (
            "a.pem",
            &format!("Signs-Until: 2026-01-01T00:00:00Z\n{sound}"),
            0o600,
            "stands more than",
        ),
        (
            "a.pem",
            &format!("Signs-From: 2026-01-01T00:00:00Z\n{sound}"),
            0o600,
            "twice",
        ),
        ("a.pem", &format!("{sound}{block}"), 0o600, "more than one key"),
        (
            "a.pem",
            &format!("Signs-From: 2026-01-01T00:00:00Z\n{certificate}"),
            0o600,
            "it holds a CERTIFICATE",
        ),
        ("a.pem", &sound, 0o604, "by its permissions 0604"),
        ("a.pem", &sound, 0o620, "by its permissions 0620"),
    ] {
        let folder = folder(&TWO);
        put_with(&folder, name, content, mode);
        let refused = Keys::read(folder.path()).err().map(|error| format!("{error:#}"));
        if told.is_empty() {
            assert_eq!(refused, None, "{name} is passed over");
            continue;
        }
        let refused = refused.unwrap_or_else(|| panic!("{name} with {told} is refused"));
        assert!(refused.contains(name) && refused.contains(told), "{refused}");
        assert!(!refused.contains("MC4CAQ"), "{refused}");
    }
    let nothing = folder(&[]);
    let none = Keys::read(nothing.path()).err().expect("nothing signs").to_string();
    assert!(none.contains(&nothing.path().display().to_string()), "{none}");
    let missing = nothing.path().join("missing");
    let missing = format!("{:#}", Keys::read(&missing).err().expect("it is not there"));
    assert!(
        missing.contains("the folder of signing keys") && missing.contains("missing"),
        "{missing}"
    );
}

#[test]
fn a_new_key_is_taken_up_and_one_that_cannot_be_read_changes_nothing() {
    let folder = folder(&TWO[..1]);
    let keys = SigningKeys::open(folder.path()).expect("it opens");
    let ids = |keys: &SigningKeys| keys.now().keys.iter().map(|key| key.id.clone()).collect::<Vec<_>>();
    let before = keys.now();
    keys.look().expect("nothing has changed");
    assert!(Arc::ptr_eq(&before, &keys.now()));
    put(&folder, "2027-a.pem", "half of it");
    keys.look().expect_err("it cannot be read");
    assert_eq!(ids(&keys), ["2026-a"]);
    put(&folder, "2027-a.pem", &key(2, TWO[1].2));
    keys.look().expect("it is sound");
    assert_eq!(ids(&keys), ["2026-a", "2027-a"]);
}
