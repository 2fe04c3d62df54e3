//! The WIT world and the encoding of the component.

use std::path::Path;

use anyhow::Context;
use wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{FunctionKind, Resolve, WorldId, WorldItem};

use crate::shims::{Export, Import};

/// Custom section with the component's stamp; the hub reads it before anything else.
const STAMP_SECTION: &str = "cordon:stamp";

/// Export whose calls run beside all others.
const THREAD_EXPORT: &str = "run-thread";

/// The world `plugin` of a WIT package.
pub struct World {
    resolve: Resolve,
    world: WorldId,
    package: String,
}

impl World {
    /// Reads the package in `folder`.
    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve
            .push_dir(folder)
            .with_context(|| format!("cannot read the WIT package in {}", folder.display()))?;
        let world = resolve.select_world(&[package], Some("plugin"))?;
        let package = resolve
            .packages
            .get(package)
            .context("the package vanished")?
            .name
            .to_string();
        Ok(Self {
            resolve,
            world,
            package,
        })
    }

    fn items(&self, exports: bool) -> anyhow::Result<Vec<(String, &wit_parser::Function)>> {
        let world = self
            .resolve
            .worlds
            .get(self.world)
            .context("the world vanished")?;
        let items = if exports {
            &world.exports
        } else {
            &world.imports
        };
        let mut found = Vec::new();
        for (key, item) in items {
            let WorldItem::Interface { id, .. } = item else {
                continue;
            };
            let name = self.resolve.name_world_key(key);
            let interface = self
                .resolve
                .interfaces
                .get(*id)
                .context("an interface vanished")?;
            for function in interface.functions.values() {
                found.push((name.clone(), function));
            }
        }
        Ok(found)
    }

    /// The `async func` imports: those in which tasks switch.
    pub fn blocking_imports(&self) -> anyhow::Result<Vec<Import>> {
        let imports = self.items(false)?;
        Ok(imports
            .into_iter()
            .filter(|(_, function)| matches!(function.kind, FunctionKind::AsyncFreestanding))
            .map(|(module, function)| Import {
                module,
                name: function.name.clone(),
            })
            .collect())
    }

    /// The exports, all of which run Python.
    pub fn exports(&self) -> anyhow::Result<Vec<Export>> {
        let exports = self.items(true)?;
        Ok(exports
            .into_iter()
            .map(|(interface, function)| Export {
                name: format!("{interface}#{}", function.name),
                task_return: Import {
                    module: format!("[export]{interface}"),
                    name: format!("[task-return]{}", function.name),
                },
                own_stack: function.name == THREAD_EXPORT,
            })
            .collect())
    }
}

/// Encodes the component and stamps it with its contract and the key of its inputs.
pub fn component(module: &[u8], world: &World, key: &str) -> anyhow::Result<Vec<u8>> {
    let mut module = module.to_vec();
    wit_component::embed_component_metadata(
        &mut module,
        &world.resolve,
        world.world,
        StringEncoding::UTF8,
        false,
    )?;
    let mut component = ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .adapter(
            "wasi_snapshot_preview1",
            WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        )?
        .encode()
        .context("the module does not fit the world")?;
    let stamp = format!("{}\n{key}\n", world.package);
    append_section(&mut component, STAMP_SECTION, stamp.as_bytes())?;
    Ok(component)
}

/// Appends a custom section: id 0, size, name length, name, content.
fn append_section(component: &mut Vec<u8>, name: &str, content: &[u8]) -> anyhow::Result<()> {
    let mut body = Vec::new();
    leb128(&mut body, u32::try_from(name.len())?);
    body.extend(name.as_bytes());
    body.extend(content);
    component.push(0);
    leb128(component, u32::try_from(body.len())?);
    component.extend(&body);
    Ok(())
}

fn leb128(out: &mut Vec<u8>, mut value: u32) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}
