//! `hookswitch compile-component`: the child that compiles one component. For the host alone.
//!
//! Standard input is the component, standard output becomes the machine code, the last line on standard error the report.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::artifact::SmokeLimits;
use crate::artifact::jail::{self, Bounds, FunctionFiles, Orders};

/// Compile one component, as a child of a host
#[derive(Args)]
pub struct CompileArgs {
    /// The process that started this one
    #[arg(long)]
    host: u32,
    #[arg(long)]
    cpu_s: u64,
    #[arg(long)]
    memory_bytes: u64,
    #[arg(long)]
    file_bytes: u64,
    #[arg(long)]
    code_bytes: u64,
    #[arg(long)]
    memory_mib_max: u64,
    /// Limits of a start that is tried; all three or none
    #[arg(long, requires_all = ["start_cpu_ms", "start_deadline_ms"])]
    start_memory_mib: Option<u64>,
    #[arg(long, requires = "start_memory_mib")]
    start_cpu_ms: Option<u64>,
    #[arg(long, requires = "start_memory_mib")]
    start_deadline_ms: Option<u64>,
    /// Functions of earlier compiles, and how long the file's contents are
    #[arg(long, requires_all = ["functions_bytes", "functions_output"])]
    functions: Option<PathBuf>,
    #[arg(long)]
    functions_bytes: Option<u64>,
    /// Where functions for later compiles go
    #[arg(long, requires = "functions_bytes_max")]
    functions_output: Option<PathBuf>,
    #[arg(long)]
    functions_bytes_max: Option<u64>,
}

pub(super) fn run(args: &CompileArgs) -> ExitCode {
    let start_under = match (args.start_memory_mib, args.start_cpu_ms, args.start_deadline_ms) {
        (Some(memory_mib), Some(cpu_ms), Some(deadline_ms)) => {
            Some(SmokeLimits { memory_mib, cpu_ms, deadline_ms })
        }
        _ => None,
    };
    let input = args.functions.clone().zip(args.functions_bytes);
    let functions = args.functions_output.clone().map(|output| FunctionFiles {
        input,
        output,
        bytes_max: args.functions_bytes_max.unwrap_or_default(),
    });
    let bounds = Bounds { cpu_s: args.cpu_s, memory_bytes: args.memory_bytes, file_bytes: args.file_bytes };
    let CompileArgs { host, code_bytes, memory_mib_max, .. } = *args;
    jail::run(&Orders { bounds, host, code_bytes, memory_mib_max, start_under, functions });
    ExitCode::SUCCESS
}
