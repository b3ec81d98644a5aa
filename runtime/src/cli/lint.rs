//! `hookswitch lint`: checks TwiML documents for people, with the code that checks them on the path of a call.
//!
//! One line a problem, in the form that editors and build logs know how to jump to. What is wrong goes to standard
//! output, so that it can be piped; what was checked goes to standard error.

use std::io::{Read as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::twiml::{self, DOCUMENT_BYTES_MAX, DocumentKind, Problem, Severity};

/// Most bytes read of one file: enough to say how far over the limit a document is, however endless the input.
const READ_BYTES_MAX: u64 = 64 * DOCUMENT_BYTES_MAX as u64;

const EXAMPLE: &str = "Example:
  $ hookswitch lint fallback.xml
  fallback.xml:3:11: warning: `<Gather>` has no attribute `numdigits`; did you mean `numDigits` (letter case counts)? [12200]
  $ my-handler-prints-twiml | hookswitch lint --strict -

Exit code: 0 nothing wrong that counts, 1 an error (with --strict also a warning), 2 a file that cannot be read.";

/// Check TwiML documents: well-formed, and inside the grammar
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub struct LintArgs {
    /// Documents to check; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Which grammar to check against; found from the document when not given
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Let warnings fail the check too: what the carrier plays, but complains about
    #[arg(long)]
    strict: bool,
    /// Print the problems as a JSON array
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    Voice,
    Messaging,
    Fax,
}

impl From<Kind> for DocumentKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Voice => Self::Voice,
            Kind::Messaging => Self::Messaging,
            Kind::Fax => Self::Fax,
        }
    }
}

/// Checks the files and prints what is wrong with them.
#[must_use]
pub fn run(args: LintArgs) -> ExitCode {
    lint(&args, &mut std::io::stdout().lock(), &mut std::io::stderr().lock())
}

fn lint(args: &LintArgs, out: &mut impl Write, notes: &mut impl Write) -> ExitCode {
    let mut found = Vec::new();
    let mut unreadable = 0;
    for file in &args.files {
        let name = file.display().to_string();
        match read(file) {
            Ok(text) => {
                let problems = twiml::check(&text, args.kind.map(DocumentKind::from));
                found.extend(problems.into_iter().map(|problem| Line::new(&name, problem)));
            }
            Err(error) => {
                unreadable += 1;
                // Nobody is left to tell when standard error is closed; the exit code still says it.
                let _ = writeln!(notes, "hookswitch lint: can't read {name}: {error}");
            }
        }
    }
    let count = |severity: Severity| found.iter().filter(|line| line.severity == severity.word()).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    // A reader that has seen enough, such as `head`, closes the pipe; the exit code is still right.
    let _ = print(args.json, &found, out);
    let _ = writeln!(
        notes,
        "{}: {}, {}",
        counted(args.files.len() - unreadable, "document"),
        counted(errors, "error"),
        counted(warnings, "warning")
    );
    if unreadable > 0 {
        ExitCode::from(2)
    } else if errors > 0 || (args.strict && warnings > 0) {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    }
}

/// One problem of one file, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Line {
    file: String,
    line: u32,
    column: u32,
    severity: &'static str,
    element: String,
    code: Option<u16>,
    message: String,
}

impl Line {
    fn new(file: &str, problem: Problem) -> Self {
        let Problem { line, column, severity, element, code, message, .. } = problem;
        Self { file: file.to_owned(), line, column, severity: severity.word(), element, code, message }
    }
}

fn print(json: bool, found: &[Line], out: &mut impl Write) -> std::io::Result<()> {
    if json {
        serde_json::to_writer_pretty(&mut *out, found)?;
        return writeln!(out);
    }
    for Line { file, line, column, severity, code, message, .. } in found {
        write!(out, "{file}:{line}:{column}: {severity}: {message}")?;
        match code {
            Some(code) => writeln!(out, " [{code}]")?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

fn read(file: &std::path::Path) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().lock().take(READ_BYTES_MAX).read_to_end(&mut text)?;
    } else {
        std::fs::File::open(file)?.take(READ_BYTES_MAX).read_to_end(&mut text)?;
    }
    Ok(text)
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        lint: LintArgs,
    }

    /// Exit code, standard output, standard error.
    fn lint_of(args: &[&str], files: &[(&str, &str)]) -> (ExitCode, String, String) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let paths = files.iter().map(|(name, _)| folder.path().join(name).display().to_string());
        let args =
            ["lint".to_owned()].into_iter().chain(args.iter().map(|arg| (*arg).to_owned())).chain(paths);
        let command = Command::parse_from(args);
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let code = lint(&command.lint, &mut out, &mut notes);
        let clean =
            |bytes| String::from_utf8(bytes).unwrap().replace(&format!("{}/", folder.path().display()), "");
        (code, clean(out), clean(notes))
    }

    const GOOD: (&str, &str) = ("good.xml", "<Response><Say>Hello</Say></Response>");
    const ODD: (&str, &str) = ("odd.xml", "<Response>\n  <Gather numdigits='1'/>\n</Response>");
    const BAD: (&str, &str) = ("bad.xml", "<Response><Say>Hello</Response>");

    #[test]
    fn the_exit_code_tells_errors_from_warnings() {
        for (args, files, code) in [
            (&[][..], &[GOOD][..], 0),
            (&[], &[GOOD, ODD], 0),
            (&["--strict"], &[GOOD], 0),
            (&["--strict"], &[ODD], 1),
            (&[], &[BAD, GOOD], 1),
            (&["--json"], &[BAD], 1),
            (&["/surely/not/there.xml"], &[BAD], 2),
        ] {
            let (found, ..) = lint_of(args, files);
            assert_eq!(found, ExitCode::from(code), "{args:?} {files:?}");
        }
    }

    #[test]
    fn a_clean_document_leaves_standard_output_empty() {
        let (_, out, notes) = lint_of(&[], &[GOOD]);
        assert_eq!((out.as_str(), notes.as_str()), ("", "1 document: 0 errors, 0 warnings\n"));
    }

    #[test]
    fn each_problem_is_a_line_with_its_place() {
        let (_, out, notes) = lint_of(&[], &[ODD, BAD]);
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.len(), 2, "{out}");
        assert!(
            lines[0].starts_with("odd.xml:2:11: warning: `<Gather>` has no attribute `numdigits`"),
            "{out}"
        );
        assert!(
            lines[1].starts_with("bad.xml:1:21: error: not well-formed XML: `</Response>` where"),
            "{out}"
        );
        assert_eq!(notes, "2 documents: 1 error, 1 warning\n");
    }

    #[test]
    fn json_is_one_array_of_all_files() {
        let (_, out, _) = lint_of(&["--json"], &[ODD, GOOD, BAD]);
        let found: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            (&found[0]["file"], &found[0]["line"], &found[0]["code"]),
            (&"odd.xml".into(), &2.into(), &12200.into())
        );
        assert_eq!((&found[1]["severity"], &found[1]["element"]), (&"error".into(), &"Response".into()));
        assert_eq!(found.as_array().unwrap().len(), 2);
        assert_eq!(lint_of(&["--json"], &[GOOD]).1, "[]\n");
    }

    #[test]
    fn the_kind_can_be_given() {
        let replies = ("replies.xml", "<Response><Message>Hello</Message></Response>");
        assert_eq!(lint_of(&["--strict"], &[replies]).0, ExitCode::SUCCESS);
        assert_eq!(lint_of(&["--strict", "--kind", "voice"], &[replies]).0, ExitCode::from(1));
    }
}
