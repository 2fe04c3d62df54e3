//! Serial ports as `indigo.server` names them. Nothing is opened, so files stand for ports.

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn granted_ports_that_exist_are_named() {
    let mut stage = Stage::new();
    let code = "
class Plugin(indigo.PluginBase):
    def startup(self):
        ports = indigo.server.getSerialPorts()
        indigo.server.log('all %s' % sorted(ports.values()))
        wired = indigo.server.getSerialPorts(filter='indigo.ignoreBluetooth')
        indigo.server.log('wired %s' % dict(wired))
        try:
            indigo.server.getSerialPorts(filter='indigo.nonsense')
        except ValueError as error:
            indigo.server.log('refused: %s' % error)
";
    let of = |name: &str| stage.path().join(name).display().to_string();
    let names = ["ttyUSB7", "rfcomm0", "ttyGONE"].map(of);
    for name in &names[..2] {
        std::fs::write(name, "").unwrap();
    }
    // One that nobody granted.
    std::fs::write(of("ttyUSB8"), "").unwrap();
    let config = format!("grants = {{ serial = {names:?} }}");
    stage.start_code(code, &config).await;
    stage.line("all ['rfcomm0', 'ttyUSB7']").await;
    let wired = format!("wired {{'{}': 'ttyUSB7'}}", names[0]);
    stage.line(&wired).await;
    stage
        .line("refused: there is no filter 'indigo.nonsense'")
        .await;
    stage.stop().await;
}
