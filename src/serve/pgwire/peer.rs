//! Whether a client is still there while nothing is read from it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::net::TcpStream;

/// The other end of a connection.
pub struct Peer(OwnedFd);

impl Peer {
    pub fn of(socket: &TcpStream) -> io::Result<Peer> {
        Ok(Peer(socket.as_fd().try_clone_to_owned()?))
    }

    /// It has closed its end, or the connection is broken.
    pub fn is_gone(&self) -> bool {
        let mut looked = [PollFd::new(&self.0, PollFlags::RDHUP)];
        let gone = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
        poll(&mut looked, Some(&Timespec::default())).is_ok() && looked[0].revents().intersects(gone)
    }
}
