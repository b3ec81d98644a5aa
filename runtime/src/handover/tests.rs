//! Both sides in one process, and each side against one that breaks off, says nonsense or hangs.

use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::time::timeout;

use super::wire::{Message, Wire};
use super::{Blob, DataLock, Giver, HandoverError, Patience, SOCKET, Taker};

const SHORT: Patience = {
    let short = Duration::from_millis(200);
    Patience { ready_within: short, step_within: short, again_after: short }
};

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn giver(dir: &Path, listener: &TcpListener, patience: Patience) -> Giver {
    let socket = listener.as_fd().try_clone_to_owned().unwrap();
    let lock = DataLock::take(dir).unwrap();
    Giver::listen(lock, vec![("data".to_owned(), socket)], patience)
}

fn blobs() -> Vec<Blob> {
    let big = vec![7; 3 << 20];
    vec![Blob { name: "calls".into(), bytes: b"CA1 7".into() }, Blob { name: "big".into(), bytes: big }]
}

async fn connect(dir: &Path) -> Wire {
    Wire::new(UnixStream::connect(dir.join(SOCKET)).await.unwrap()).unwrap()
}

fn hello(protocol: u32, protocol_min: u32) -> Message {
    Message::Hello { protocol, protocol_min, version: "9.9.9".into(), pid: 4 }
}

#[tokio::test]
async fn a_new_process_gets_lock_sockets_and_state_and_is_the_host() {
    let folder = tempfile::tempdir().unwrap();
    // Longer than the address of a unix socket can be.
    let dir = folder.path().join("d".repeat(150));
    let (listener, address) = listener().await;
    let mut giver = giver(&dir, &listener, Patience::default());
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(dir.join(SOCKET)).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    let old = async {
        let mut takeover = giver.next().await;
        takeover.offer().await.unwrap();
        takeover.ready().await.unwrap();
        takeover.go(&blobs()).await.unwrap();
        takeover.serving().await.unwrap();
    };
    let new = async {
        let (mut taker, mut offered) = Taker::connect(&dir).await.unwrap();
        let socket = offered.socket("data").unwrap().unwrap();
        assert!(offered.socket("metrics").unwrap().is_none(), "a socket that the old host has not");
        assert_eq!(taker.ready().await.unwrap(), blobs());
        taker.serving().await.unwrap();
        (offered.lock, socket)
    };
    let ((), (lock, socket)) = tokio::join!(old, new);

    // The connection that waits while nobody accepts is the new one's.
    let waiting = TcpStream::connect(address).await.unwrap();
    giver.close().await;
    drop(listener);
    let (_accepted, peer) = socket.accept().await.unwrap();
    assert_eq!(peer, waiting.local_addr().unwrap());
    assert!(matches!(DataLock::take(&dir), Err(HandoverError::Held { .. })), "the lock is still held");
    drop(lock);
    DataLock::take(&dir).unwrap();
}

#[tokio::test]
async fn a_data_folder_has_one_host() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = Taker::connect(folder.path()).await.unwrap_err().to_string();
    assert!(nobody.contains("start without --take-over"), "{nobody}");
    let lock = DataLock::take(folder.path()).unwrap();
    let held = DataLock::take(folder.path()).unwrap_err().to_string();
    assert!(
        held.contains(&format!("(process {})", std::process::id())) && held.contains("--take-over"),
        "{held}"
    );
    drop(lock);
    // What a host leaves behind that was killed is in nobody's way.
    let (listener, _) = listener().await;
    giver(folder.path(), &listener, SHORT).close().await;
    let nobody = Taker::connect(folder.path()).await;
    assert!(matches!(nobody, Err(HandoverError::NobodyServes { .. })), "{nobody:?}");
    DataLock::take(folder.path()).unwrap();
}

#[tokio::test]
async fn a_folder_that_can_t_be_written_for_a_while_keeps_no_host_from_serving() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, _) = listener().await;
    // In the way of the socket.
    let in_the_way = folder.path().join(format!("{SOCKET}.partial"));
    std::fs::create_dir(&in_the_way).unwrap();
    let mut giver = giver(folder.path(), &listener, SHORT);
    assert!(matches!(Taker::connect(folder.path()).await, Err(HandoverError::NobodyServes { .. })));
    std::fs::remove_dir(&in_the_way).unwrap();
    let found = async {
        while !folder.path().join(SOCKET).exists() {
            tokio::task::yield_now().await;
        }
        Taker::connect(folder.path()).await
    };
    let both = async { tokio::join!(found, async { giver.next().await.offer().await.unwrap() }).0 };
    timeout(Duration::from_secs(5), both).await.unwrap().unwrap();
}

/// How far a new process comes, and what it does then.
#[derive(Debug, Clone, Copy)]
enum Stops {
    Closes,
    Hangs,
    SaysNo,
    Babbles,
}

#[tokio::test]
async fn whatever_the_new_process_does_before_it_serves_the_old_one_stays_the_host() {
    use Stops::{Babbles, Closes, Hangs, SaysNo};
    let folder = tempfile::tempdir().unwrap();
    let (listener, address) = listener().await;
    let mut giver = giver(folder.path(), &listener, SHORT);
    let cases: &[(u32, Stops, &str)] = &[
        (1, Closes, "while it should get ready"),
        (1, Hangs, "did not get on within 0.2 s while it should get ready"),
        (1, SaysNo, "gave up: broken"),
        (1, Babbles, "expected ready from the other process, found hello"),
        (2, Closes, "ended the connection"),
        (2, Hangs, "did not get on within 0.2 s while it should begin to serve"),
        (2, SaysNo, "gave up: broken"),
        (2, Babbles, "expected serving from the other process, found hello"),
    ];
    for (steps, stops, expected) in cases {
        let new = async {
            let mut wire = connect(folder.path()).await;
            wire.say(&hello(1, 1)).await.unwrap();
            assert!(matches!(wire.hear().await, Ok(Some(Message::Offer { .. }))));
            let _descriptors = wire.receive(2).await.unwrap();
            if *steps > 1 {
                wire.say(&Message::Ready {}).await.unwrap();
                assert!(matches!(wire.hear().await, Ok(Some(Message::Go { .. }))));
            }
            match stops {
                Closes => return None,
                Hangs => {}
                SaysNo => wire.say_no("broken"),
                Babbles => wire.say(&hello(1, 1)).await.unwrap(),
            }
            wire.hear().await.unwrap()
        };
        let old = async {
            let mut takeover = giver.next().await;
            takeover.offer().await?;
            takeover.ready().await?;
            takeover.go(&[]).await?;
            takeover.serving().await
        };
        let (outcome, heard) = tokio::join!(old, new);
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(expected), "{steps} {stops:?}: {error}");
        if !matches!(stops, Closes) {
            assert!(matches!(heard, Some(Message::No { .. })), "{steps} {stops:?}: {heard:?}");
        }
        let _connected = TcpStream::connect(address).await.unwrap();
        timeout(Duration::from_secs(5), listener.accept()).await.expect("the old one accepts").unwrap();
        assert!(matches!(DataLock::take(folder.path()), Err(HandoverError::Held { .. })));
    }
}

#[tokio::test]
async fn a_takeover_that_is_dropped_tells_the_new_process() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, _) = listener().await;
    let mut giver = giver(folder.path(), &listener, Patience::default());
    let (old, new) = tokio::join!(
        async {
            let mut takeover = giver.next().await;
            takeover.offer().await.unwrap();
            takeover.ready().await.unwrap();
            takeover.go(&[]).await.unwrap();
            drop(takeover);
        },
        async {
            let (mut taker, _offered) = Taker::connect(folder.path()).await.unwrap();
            taker.ready().await.unwrap();
            taker.serving().await
        }
    );
    let () = old;
    assert!(matches!(new, Err(HandoverError::GivenUp(_))), "{new:?}");
}

#[tokio::test]
async fn one_new_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, _) = listener().await;
    let mut giver = giver(folder.path(), &listener, Patience::default());
    let mut first = connect(folder.path()).await;
    first.say(&hello(1, 1)).await.unwrap();
    let takeover = giver.next().await;
    let second = Taker::connect(folder.path()).await;
    assert!(
        matches!(&second, Err(HandoverError::GivenUp(why)) if why.contains("taking over just now")),
        "{second:?}"
    );
    drop(takeover);
    let third = tokio::join!(Taker::connect(folder.path()), async {
        let mut takeover = giver.next().await;
        takeover.offer().await.unwrap();
        takeover
    });
    third.0.unwrap();
}

#[tokio::test]
async fn a_newer_process_and_an_older_host_find_the_protocol_that_both_speak() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, _) = listener().await;
    let mut giver = giver(folder.path(), &listener, Patience::default());

    let mut newer = connect(folder.path()).await;
    newer.say(&hello(7, 1)).await.unwrap();
    let mut takeover = giver.next().await;
    assert_eq!(takeover.by(), ("9.9.9", 4));
    takeover.offer().await.unwrap();
    assert!(matches!(newer.hear().await, Ok(Some(Message::Offer { protocol: 1, .. }))));
    drop(takeover);

    let mut far_newer = connect(folder.path()).await;
    far_newer.say(&hello(7, 2)).await.unwrap();
    let Ok(Some(Message::No { why })) = far_newer.hear().await else { panic!("no answer") };
    assert!(why.contains("speaks handover protocols 2 to 7, this host 1 to 1"), "{why}");
}

#[tokio::test]
async fn a_frame_may_say_more_than_is_understood_and_has_an_end() {
    use tokio::io::AsyncWriteExt as _;
    let framed = |json: &str| [&u32::try_from(json.len()).unwrap().to_be_bytes(), json.as_bytes()].concat();
    let cases: &[(&str, Vec<u8>, &str)] = &[
        ("more fields", framed(r#"{"say":"ready","after_ms":3}"#), "Ok(Some(Ready))"),
        ("nothing", Vec::new(), "Ok(None)"),
        ("half a length", vec![0, 0], "Ok(None)"),
        ("half a frame", framed(r#"{"say":"ready"}"#)[..9].to_vec(), "Ok(None)"),
        ("unknown word", framed(r#"{"say":"perhaps"}"#), "unknown variant `perhaps`"),
        ("too long", vec![0xff; 8], "at most 65536 are taken"),
    ];
    for (name, bytes, expected) in cases {
        let (mut theirs, ours) = UnixStream::pair().unwrap();
        theirs.write_all(bytes).await.unwrap();
        drop(theirs);
        let heard = format!("{:?}", Wire::new(ours).unwrap().hear().await);
        assert!(heard.contains(expected), "{name}: {heard}");
    }
}

#[tokio::test]
async fn a_host_that_dies_after_go_is_succeeded_and_one_that_gives_up_is_not() {
    for (gives_up, expected) in [(false, true), (true, false)] {
        let folder = tempfile::tempdir().unwrap();
        let host = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let lock = Arc::new(DataLock::take(folder.path()).unwrap());
        let old = async {
            let mut wire = Wire::new(host.accept().await.unwrap().0).unwrap();
            assert!(matches!(wire.hear().await, Ok(Some(Message::Hello { .. }))));
            let descriptors = vec!["lock".to_owned()];
            wire.say(&Message::Offer { protocol: 1, version: "0".into(), pid: 1, descriptors })
                .await
                .unwrap();
            wire.pass(&[lock.as_fd()]).await.unwrap();
            assert!(matches!(wire.hear().await, Ok(Some(Message::Ready {}))));
            wire.say_go(&[]).await.unwrap();
            if gives_up {
                wire.say_no("took too long");
            }
        };
        let new = async {
            let (mut taker, _offered) = Taker::connect(folder.path()).await.unwrap();
            taker.ready().await.unwrap();
            taker.serving().await
        };
        let ((), outcome) = tokio::join!(old, new);
        assert_eq!(outcome.is_ok(), expected, "{outcome:?}");
    }
}

#[tokio::test]
async fn more_state_than_is_handed_over_is_refused_before_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, _) = listener().await;
    let mut giver = giver(folder.path(), &listener, Patience::default());
    let (old, new) = tokio::join!(
        async {
            let mut takeover = giver.next().await;
            takeover.offer().await.unwrap();
            takeover.ready().await.unwrap();
            takeover.go(&[Blob { name: "calls".into(), bytes: vec![0; (64 << 20) + 1] }]).await
        },
        async {
            let (mut taker, _offered) = Taker::connect(folder.path()).await.unwrap();
            taker.ready().await
        }
    );
    assert!(matches!(old, Err(HandoverError::TooMuch { .. })), "{old:?}");
    assert!(matches!(new, Err(HandoverError::GivenUp(_))), "{new:?}");
}
