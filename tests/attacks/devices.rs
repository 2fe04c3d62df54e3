//! Device rows and the configuration document.

use crate::attack::Attack;

trips! {
    rows_beyond_the_limit_are_refused: "devices" => Attack::new("
def attack():
    for n in range(1, 9): Domoticz.Device(Name='d%d' % n, Unit=n, TypeName='Switch').Create()
    Domoticz.Log('%d rows.' % len(Devices))
").limits("devices = 3").says(&["3 rows."]);

    texts_of_rows_are_bounded: "stored-bytes" => Attack::new("
def attack():
    Domoticz.Device(Name='text', Unit=1, TypeName='Text').Create()
    Devices[1].Update(nValue=0, sValue='short')
    Devices[1].Update(nValue=0, sValue='x' * 50000)
    Devices[1].Refresh()
    Domoticz.Log('kept %s.' % Devices[1].sValue)
").limits("stored-bytes = 10000").says(&["kept short."]);

    texts_of_a_row_are_short: "device-text" => Attack::new("
import _cordon
def attack():
    Domoticz.Device(Name='text', Unit=1, TypeName='Text').Create()
    row, long = Devices[1].ID, 'x' * 100000
    Devices[1].Update(nValue=0, sValue='short', Name='name', Description='words')
    for change in ({'name': long}, {'description': long}, {'color': long},
                   {'value': (0, long, 12, 255)}, {'options': [('key', long)]},
                   {'options': [(str(n), '') for n in range(30000)]}):
        try: _cordon.device_update(row, change)
        except Exception: pass
    Domoticz.Device(Name=long, Unit=2, TypeName='Text').Create()
    Devices[1].Refresh()
    device = Devices[1]
    Domoticz.Log('kept %s.' % [device.Name, device.sValue, device.Description, device.Options, sorted(Devices)])
").says(&["kept ['name', 'short', 'words', {}, [1]]."]);

    what_is_written_is_slowed_down: "write-bytes-per-minute" => Attack::new("
def attack():
    for n in range(14): Domoticz.Configuration({'a': 'x' * 50000 + str(n)})
    Domoticz.Log('stored %s.' % Domoticz.Configuration()['a'][-2:])
").limits("write-bytes-per-minute = 600000").says(&["stored 13."]);

    many_small_texts_are_bounded: "stored-bytes" => Attack::new("
def attack():
    for n in range(1, 200): Domoticz.Device(Name='n' * 100, Unit=n, TypeName='Text').Create()
").limits("stored-bytes = 10000");

    icons_are_bounded: "stored-bytes" => Attack::new("
import zipfile
def attack():
    Parameters['HomeFolder'] = '/data/'
    for n in range(9):
        base = Parameters['Key'] + str(n)
        with zipfile.ZipFile('/data/icons.zip', 'w') as file:
            file.writestr('icons.txt', base + ';n;d')
            for end in ('', '48_On', '48_Off'):
                file.writestr(base + end + '.png', bytes.fromhex('89504e470d0a1a0a') + bytes(3000))
        Domoticz.Image('icons.zip').Create()
    Domoticz.Log('%d sets.' % len(Images))
").limits("stored-bytes = 20000").says(&["2 sets."]);

    the_configuration_is_bounded: "stored-bytes" => Attack::new("
def attack():
    Domoticz.Configuration({'a': 'short'})
    Domoticz.Configuration({'a': 'x' * 100000})
    Domoticz.Log('kept %s.' % Domoticz.Configuration())
").limits("stored-bytes = 10000").says(&["kept {'a': 'short'}."]);
}
