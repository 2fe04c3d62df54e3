//! The ground floor of the hub: it imports nothing of ours, and everything imports it.
//!
//! - [`limits`]: every limit, declared once; [`bounds`]: bounds on files of strangers;
//!   [`error`]: whose fault an error is.
//! - [`account`]: memory and time that the hub spends for an instance, and its [`desk`] in
//!   the store; [`pool`]: threads that serve all instances in turn; [`turns`]: work that one does
//!   while the others wait; [`descriptors`]: open files of the whole process.
//! - [`log`]: the event log; [`plugin_log`]: the lines of one instance, within its rate;
//!   [`notes`]: its last error and its refused wishes; [`problems`]: plugins that cannot be used;
//!   [`hint`]: how an operator gives an instance more.
//! - [`grants`]: whom instances may talk to, in the words of the operator.
//! - [`folders`]: the folders of one instance; [`fingerprint`]: whether the files of a folder have
//!   changed.
//! - [`system`]: grants of the operating system; [`standstill`]: time in which the process
//!   stood still.
//! - [`private`]: who may read and write the hub's files; [`regular_file`]: how files of
//!   strangers are read; [`hex`]: bytes as text; [`size`]: amounts of bytes as the operator writes them.

pub mod account;
pub mod bounds;
pub mod descriptors;
pub mod desk;
pub mod error;
pub mod fingerprint;
pub mod folders;
pub mod grants;
pub mod hex;
pub mod hint;
pub mod limits;
pub mod log;
pub mod notes;
pub mod plugin_log;
pub mod pool;
pub mod private;
pub mod problems;
pub mod regular_file;
pub mod size;
pub mod standstill;
pub mod system;
pub mod turns;
