//! Clients and servers of the standard library over the plugin's sockets.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn http_clients_and_servers_of_the_library_work() {
    let (_peer, port) = python(
        "
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        body = b'got ' + self.path.encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.send_response(201)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body[::-1])
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port)
server.serve_forever()
",
    );
    let own = free_port();
    let source = format!(
        "
import http.client, http.server, socketserver, urllib.error, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'own ' + self.path.encode())
    def log_message(self, *args): pass
class Upper(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.readline().upper())
def main():
    out = [urllib.request.urlopen('http://127.0.0.1:{port}/a').read()]
    connection = http.client.HTTPConnection('127.0.0.1', {port}, timeout=20)
    for n in range(3):
        connection.request('POST', '/', body=b'abc%d' % n)
        answer = connection.getresponse()
        out.append((answer.status, answer.read()))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', {own}), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    out.append(urllib.request.urlopen('http://127.0.0.1:{own}/b').read())
    server.shutdown()
    server.server_close()
    with socketserver.ThreadingTCPServer(('127.0.0.1', 0), Upper) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with socket.create_connection(server.server_address) as s:
            s.sendall(b'line\\n')
            out.append(s.makefile('rb').read())
        server.shutdown()
    try:
        urllib.request.urlopen('http://192.0.2.1/')
    except urllib.error.URLError as e:
        out.append(type(e.reason).__name__)
    return out
"
    );
    let config = format!("grants = {{ network = [\"127.0.0.1:{port}\"], listen = [{own}] }}");
    let expected = "[b'got /a', (201, b'0cba'), (201, b'1cba'), (201, b'2cba'), b'own /b', \
                    b'LINE\\n', 'PermissionError']";
    answers(&source, &config, expected).await;
}

/// A peer that answers each line with the next of a script.
fn scripted(greeting: &'static str, script: &'static [(&'static str, &'static str)]) -> u16 {
    tcp_peer(move |client| {
        let mut writer = client.try_clone().unwrap();
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(client));
        writer.write_all(greeting.as_bytes()).unwrap();
        for (expected, answer) in script {
            // A body has lines that nobody answers.
            let line = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains(expected)));
            if line.is_none() || writer.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_and_file_transfer_clients_of_the_library_work() {
    let smtp = scripted(
        "220 here\r\n",
        &[
            ("ehlo", "250-here\r\n250 SIZE 1000000\r\n"),
            ("mail ", "250 ok\r\n"),
            ("rcpt ", "250 ok\r\n"),
            ("data", "354 go on\r\n"),
            (".", "250 taken\r\n"),
            ("quit", "221 bye\r\n"),
        ],
    );
    let (_peer, imap) = python(
        "
import socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b'* OK ready\\r\\n')
        for line in self.rfile:
            tag, command = line.split()[:2]
            extra = {b'CAPABILITY': b'* CAPABILITY IMAP4REV1\\r\\n', b'SELECT': b'* 3 EXISTS\\r\\n',
                     b'LOGOUT': b'* BYE\\r\\n'}.get(command, b'')
            self.wfile.write(extra + tag + b' OK done\\r\\n')
server = socketserver.ThreadingTCPServer(('127.0.0.1', 0), Handler)
print(server.server_address[1])
server.serve_forever()
",
    );
    let ftp = scripted(
        "220 here\r\n",
        &[
            ("USER", "331 password\r\n"),
            ("PASS", "230 in\r\n"),
            ("PWD", "257 \"/home\"\r\n"),
            ("QUIT", "221 bye\r\n"),
        ],
    );
    let source = format!(
        "
import smtplib, imaplib, ftplib
def main():
    with smtplib.SMTP('127.0.0.1', {smtp}, local_hostname='here', timeout=20) as s:
        out = [s.sendmail('a@example.com', ['b@example.com'], 'Subject: x\\n\\nbody')]
    with ftplib.FTP() as f:
        f.connect('127.0.0.1', {ftp}, timeout=20)
        f.login('user', 'word')
        out.append(f.pwd())
    with imaplib.IMAP4('127.0.0.1', {imap}, timeout=20) as box:
        box.login('user', 'word')
        out.append(box.select())
    return out
"
    );
    let config = format!(
        "grants = {{ network = [\"127.0.0.1:{smtp}\", \"127.0.0.1:{ftp}\", \"127.0.0.1:{imap}\"] }}"
    );
    answers(&source, &config, "[{}, '/home', ('OK', [b'3'])]").await;
}
