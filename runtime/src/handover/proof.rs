//! The test request by which a new process proves itself before it takes over.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::HandoverError;

/// Long for a request over loopback, even on a machine that is busy.
const WITHIN: Duration = Duration::from_secs(5);
/// More than the head of any answer.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// Asks whoever serves at `address`, a port of the new process's own, for `path`, and expects this status.
///
/// # Errors
/// [`HandoverError::Unproven`] with what came instead.
pub async fn answers(address: SocketAddr, path: &str, status: u16) -> Result<(), HandoverError> {
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let unproven =
        |found: String| HandoverError::Unproven(format!("GET {path} should get status {status}, {found}"));
    let answer = match timeout(WITHIN, asked).await {
        Ok(answer) => answer.map_err(|error| unproven(format!("and failed: {error}")))?,
        Err(_) => return Err(unproven(format!("and got nothing within {} s", WITHIN.as_secs()))),
    };
    if answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes()) {
        return Ok(());
    }
    let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Err(unproven(format!("and got {:?}", String::from_utf8_lossy(line))))
}
