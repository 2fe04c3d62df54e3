//! The guest, linked for the instances of one framework.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Instance, InstancePre, Linker};
use wasmtime::{Engine, Store, bail};

use crate::abi::exports::cordon::plugin::guest::{Guest, GuestIndices};
use crate::capability;
use crate::instance::state::InstanceState;

/// Beginning of the names of the contract's interfaces.
const CONTRACT: &str = "cordon:plugin/";

/// A linker with everything that instances of all frameworks have in common.
pub(super) fn linker(
    engine: &Engine,
    component: &Component,
) -> wasmtime::Result<Linker<InstanceState>> {
    let mut linker = Linker::new(engine);
    refuse_all(&mut linker, engine, component)?;
    linker.allow_shadowing(true);
    capability::add_to_linker(&mut linker)?;
    // The interfaces of a framework take the place of those that refuse.
    linker.allow_shadowing(true);
    Ok(linker)
}

/// Defines the contract's functions that the guest imports, so that a call of one ends the
/// instance. Most of these definitions are replaced; the rest belongs to other frameworks.
fn refuse_all(
    linker: &mut Linker<InstanceState>,
    engine: &Engine,
    component: &Component,
) -> wasmtime::Result<()> {
    for (interface, item) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(item) = item.ty else {
            continue;
        };
        if !interface.starts_with(CONTRACT) {
            continue;
        }
        let mut linker = linker.instance(interface)?;
        for (name, item) in item.exports(engine) {
            let ComponentItem::ComponentFunc(function) = item.ty else {
                continue;
            };
            let refusal = format!("{interface}#{name} belongs to plugins of another framework");
            if function.async_() {
                linker.func_new_concurrent(name, move |_, _, _, _| {
                    let refusal = refusal.clone();
                    Box::pin(async move { bail!("{refusal}") })
                })?;
            } else {
                linker.func_new(name, move |_, _, _, _| bail!("{refusal}"))?;
            }
        }
    }
    Ok(())
}

/// The guest, ready to be instantiated. Cheap to clone.
#[derive(Clone)]
pub struct Linked {
    instance: InstancePre<InstanceState>,
    exports: GuestIndices,
}

impl Linked {
    pub(super) fn new(
        linker: &Linker<InstanceState>,
        component: &Component,
    ) -> wasmtime::Result<Self> {
        let instance = linker.instantiate_pre(component)?;
        let exports = GuestIndices::new(&instance)?;
        Ok(Self { instance, exports })
    }

    /// Makes a component in this store.
    ///
    /// # Errors
    ///
    /// wasmtime's, such as the one that says that there is no room.
    pub async fn instantiate(
        &self,
        store: &mut Store<InstanceState>,
    ) -> wasmtime::Result<(Instance, Guest)> {
        let instance = self.instance.instantiate_async(&mut *store).await?;
        let exports = self.exports.load(&mut *store, &instance)?;
        Ok((instance, exports))
    }
}
