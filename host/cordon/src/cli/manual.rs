//! `cordon completions` and `cordon man`: texts about the command line for shells and for `man`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Command, ValueEnum};
use clap_complete::{Generator, Shell, generate};
use clap_mangen::Man;

use cordon_base::error::EngineError;

/// Shells that completions are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ShellName {
    Bash,
    Fish,
    Zsh,
}

/// Prints the completions of the whole command line.
pub(super) fn completions(command: &mut Command, shell: ShellName) -> ExitCode {
    let shell = match shell {
        ShellName::Bash => Shell::Bash,
        ShellName::Fish => Shell::Fish,
        ShellName::Zsh => Shell::Zsh,
    };
    generated(command, shell, &mut io::stdout());
    ExitCode::SUCCESS
}

fn generated(command: &mut Command, shell: impl Generator, out: &mut dyn Write) {
    let name = command.get_name().to_owned();
    generate(shell, command, name, out);
}

/// Prints the manual: the program's page, then that of each verb.
///
/// # Errors
/// [`EngineError::Io`] when it cannot be printed.
pub(super) fn man(command: Command) -> Result<ExitCode, EngineError> {
    let printed = pages(command, &mut io::stdout());
    printed.map_err(|error| EngineError::io("cannot print the manual", error))?;
    Ok(ExitCode::SUCCESS)
}

fn pages(mut command: Command, out: &mut dyn Write) -> io::Result<()> {
    // Names such as `cordon-backup`, and usages with the verb in them.
    command.build();
    let man = Man::new(command.clone());
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_subcommands_section(out)?;
    for verb in command
        .get_subcommands()
        .filter(|it| it.get_name() != "help")
    {
        writeln!(out, ".SH \"CORDON {}\"", verb.get_name().to_uppercase())?;
        let man = Man::new(verb.clone());
        let mut page = Vec::new();
        man.render_synopsis_section(&mut page)?;
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
        // Sections of a verb are subsections here.
        let page = String::from_utf8_lossy(&page).replace("\n.SH ", "\n.SS ");
        let page = match page.strip_prefix(".SH ") {
            Some(rest) => format!(".SS {rest}"),
            None => page,
        };
        out.write_all(page.as_bytes())?;
    }
    man.render_version_section(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Arguments;

    #[test]
    fn completions_and_manual_have_every_verb() {
        let mut command = Arguments::command();
        let mut texts = vec![Vec::new(); 4];
        let [bash, fish, zsh, man] = texts.get_disjoint_mut([0, 1, 2, 3]).unwrap();
        generated(&mut command, Shell::Bash, bash);
        generated(&mut command, Shell::Fish, fish);
        generated(&mut command, Shell::Zsh, zsh);
        pages(command.clone(), man).unwrap();
        for text in texts {
            let text = String::from_utf8(text).unwrap().replace("\\-", "-");
            for verb in command.get_subcommands() {
                assert!(text.contains(verb.get_name()), "{}", verb.get_name());
            }
            assert!(text.contains("replace"), "{text}");
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
