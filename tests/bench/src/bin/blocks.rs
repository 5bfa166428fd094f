//! What a walk through a custom dump is compared with: reads the lengths of its chunks, and does nothing else.
//!
//! `blocks FILE` reads from the first block on, whose place the table of contents tells, and prints how many chunks it met.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};

/// As much as the check reads at once.
const BUFFER: usize = 128 * 1024;

fn main() -> io::Result<()> {
    let path = std::env::args_os().nth(1).ok_or(io::ErrorKind::InvalidInput)?;
    let mut file = BufReader::with_capacity(BUFFER, File::open(path)?);
    let begin = first_block(file.fill_buf()?).ok_or(io::ErrorKind::InvalidData)?;
    file.seek(SeekFrom::Start(begin))?;
    let mut chunks = 0_u64;
    let mut kind = [0];
    while file.read(&mut kind)? == 1 {
        integer(&mut file)?; // the number of its entry
        if kind == [1] {
            chunks += payload(&mut file)?;
        } else {
            while integer(&mut file)? != 0 {
                chunks += payload(&mut file)?;
            }
        }
    }
    writeln!(io::stdout(), "{chunks}")
}

/// The least offset that an entry with data gives: after the byte 2, eight bytes that lead to the byte 1.
fn first_block(head: &[u8]) -> Option<u64> {
    let offsets = head.windows(9).filter_map(|field| match field {
        [2, offset @ ..] => offset.first_chunk().map(|offset| u64::from_le_bytes(*offset)),
        _ => None,
    });
    let is_block = |offset: &u64| usize::try_from(*offset).ok().and_then(|at| head.get(at)) == Some(&1);
    offsets.filter(|offset| *offset > 100).filter(is_block).min()
}

fn integer(file: &mut BufReader<File>) -> io::Result<u32> {
    let mut bytes = [0; 5];
    file.read_exact(&mut bytes)?;
    let [_, magnitude @ ..] = bytes;
    Ok(u32::from_le_bytes(magnitude))
}

/// Passes the chunks of a payload.
fn payload(file: &mut BufReader<File>) -> io::Result<u64> {
    let mut chunks = 0;
    loop {
        match integer(file)? {
            0 => return Ok(chunks),
            length => file.seek_relative(i64::from(length))?,
        }
        chunks += 1;
    }
}
