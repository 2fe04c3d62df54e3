//! Functions of `os` that move bytes between descriptors, `select.epoll`, and the words of
//! module `ssl` about files and versions.

use crate::probe::all_hold;
use crate::support::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn bytes_move_between_files_sockets_and_pipes() {
    let source = r#"
import errno, os, pickle, socket

def refused(number, call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        assert error.errno == number, error
    else:
        raise AssertionError('%s was not refused' % call)

def opened(name, data=b''):
    with open(name, 'wb') as file:
        file.write(data)
    return os.open(name, os.O_RDWR)

DATA = bytes(range(256)) * 1024

@case
def a_file_is_sent_in_pieces():
    source = opened('sent', DATA)
    a, b = socket.socketpair()
    got, at = b'', 0
    while at < len(DATA):
        at += os.sendfile(a.fileno(), source, at, len(DATA) - at)
        got += b.recv(1 << 20)
    a.close()
    while part := b.recv(1 << 20):
        got += part
    assert got == DATA, len(got)
    refused(errno.EINVAL, os.sendfile, b.fileno(), source, -1, 10)
    assert os.sendfile(b.fileno(), source, len(DATA), 10) == 0

@case
def a_part_of_a_file_is_copied():
    source, target = opened('from', b'0123456789'), opened('to', b'abcdefghij')
    assert os.copy_file_range(source, target, 3, offset_src=4, offset_dst=2) == 3
    assert os.pread(target, 20, 0) == b'ab456fghij'
    assert os.copy_file_range(source, target, 100) == 10
    assert os.copy_file_range(source, target, 100) == 0
    raises(ValueError, 'negative', lambda: os.copy_file_range(source, target, -1))

@case
def a_pipe_is_an_end_of_splice():
    source = opened('spliced', b'0123456789')
    reader, writer = os.pipe()
    assert os.splice(source, writer, 4, offset_src=2) == 4
    assert os.read(reader, 10) == b'2345'
    refused(errno.EINVAL, os.splice, source, source, 4)
    refused(errno.ESPIPE, lambda: os.splice(source, writer, 4, offset_dst=1))

@case
def buffers_are_read_and_written_together():
    fd = opened('vector')
    assert os.writev(fd, [b'abc', bytearray(b'def')]) == 6
    os.lseek(fd, 0, os.SEEK_SET)
    first, second = bytearray(4), bytearray(4)
    assert os.readv(fd, [first, second]) == 6
    assert first + second[:2] == b'abcdef'
    assert os.pwritev(fd, [b'X', b'Y'], 1) == 2 and os.preadv(fd, [first], 0) == 4
    assert first == b'aXYd', first

@case
def numbers_that_are_not_open_are_told():
    fd = opened('closed')
    os.closerange(fd, fd + 1)
    for call in (os.ttyname, os.get_terminal_size, os.tcgetpgrp):
        refused(errno.EBADF, call, fd)
        refused(errno.ENOTTY, call, 1)
    refused(errno.EBADF, os.lseek, fd, 0, 0)
    refused(errno.EBADF, os.dup2, fd, 20)
    refused(errno.EBADF, os.fpathconf, fd, 'PC_NAME_MAX')
    assert os.pathconf('.', 'PC_NAME_MAX') == 255
    import select
    refused(errno.EBADF, select.select, [fd], [], [], 0)

@case
def a_file_in_memory_has_no_name():
    before = os.listdir('/tmp')
    fd = os.memfd_create('scratch', os.MFD_CLOEXEC)
    assert os.listdir('/tmp') == before
    with open(fd, 'w+b') as file:
        file.write(b'kept')
        file.seek(0)
        assert file.read() == b'kept'

@case
def figures_of_the_system_can_be_pickled():
    for figure in (os.statvfs('.'), os.uname(), os.times()):
        assert pickle.loads(pickle.dumps(figure)) == figure
    raises(FileNotFoundError, '', lambda: os.scandir(''))
    priority = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, priority + 1)
    assert os.getpriority(os.PRIO_PROCESS, 0) == priority + 1
    refused(errno.EACCES, os.setpriority, os.PRIO_PROCESS, 0, priority)
"#;
    all_hold(&mut Bench::new(), "Transfer", source, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn epoll_waits_as_linux_does() {
    let source = r#"
import errno, os, select, selectors, socket, threading, time

def number(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return error.errno
    raise AssertionError('not refused')

@case
def ready_sockets_are_told_of_once_or_always():
    a, b = socket.socketpair()
    with select.epoll() as waiting:
        waiting.register(a, select.EPOLLIN)
        assert waiting.poll(0) == []
        b.sendall(b'x')
        assert waiting.poll(5) == waiting.poll(0) == [(a.fileno(), select.EPOLLIN)]
        waiting.modify(a, select.EPOLLIN | select.EPOLLOUT | select.EPOLLONESHOT)
        assert waiting.poll(5) == [(a.fileno(), select.EPOLLIN | select.EPOLLOUT)]
        assert waiting.poll(0) == []
        assert waiting.fileno() >= 0
    assert waiting.closed
    raises(ValueError, 'closed epoll', lambda: waiting.poll(0))

@case
def wrong_descriptors_have_the_errors_of_linux():
    a, b = socket.socketpair()
    waiting = select.epoll()
    waiting.register(a)
    assert number(waiting.register, a) == errno.EEXIST
    assert number(waiting.unregister, b) == errno.ENOENT
    assert number(waiting.modify, b, select.EPOLLIN) == errno.ENOENT
    assert number(waiting.register, b, select.EPOLLIN | select.EPOLLET) == errno.EINVAL
    with open('plain', 'w') as file:
        assert number(waiting.register, file) == errno.EPERM
    a.close()
    assert waiting.poll(0) == []

@case
def two_threads_wait_at_once():
    a, b = socket.socketpair()
    waiting, seen = select.epoll(), []
    waiting.register(a, select.EPOLLIN)
    threads = [threading.Thread(target=lambda: seen.append(waiting.poll(10))) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    b.sendall(b'x')
    for thread in threads:
        thread.join()
    assert seen == [[(a.fileno(), select.EPOLLIN)]] * 2, seen

@case
def the_selector_of_epoll_is_there_and_poll_is_the_default():
    assert selectors.DefaultSelector is selectors.PollSelector
    a, b = socket.socketpair()
    with selectors.EpollSelector() as selector:
        selector.register(a, selectors.EVENT_WRITE, 'a')
        assert [key.data for key, _ in selector.select(5)] == ['a']
    raises(TypeError, 'cannot create', type(select.poll()))
"#;
    all_hold(&mut Bench::new(), "Epoll", source, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_contexts_say_what_is_wrong_with_files_and_versions() {
    let source = r#"
import ssl, warnings

def warned(call):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter('always')
        call()
    return [str(warning.message) for warning in seen]

def client():
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

@case
def files_of_another_kind_are_refused():
    with open('other.pem', 'w') as file:
        file.write('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
    raises(ssl.SSLError, 'PEM: NO_START_LINE', lambda: client().load_dh_params('other.pem'))
    raises(ssl.SSLError, 'PEM lib', lambda: client().load_verify_locations('other.pem'))
    raises(ssl.SSLError, 'no start line', lambda: client().load_verify_locations(cadata='no'))

@case
def versions_and_options_that_are_old_are_warned_of():
    assert warned(lambda: ssl.SSLContext(ssl.PROTOCOL_TLSv1_2)) == ['ssl.PROTOCOL_TLSv1_2 is deprecated']
    context = client()
    def options():
        context.options |= ssl.OP_NO_TLSv1_1
    assert warned(options) == ['ssl.OP_NO_SSL*/ssl.OP_NO_TLS* options are deprecated']
    assert warned(options) == []
    context.minimum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3

@case
def names_belong_to_clients():
    pair = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    raises(ValueError, 'client mode', lambda: server.wrap_bio(*pair, server_side=True, server_hostname='a'))
    assert warned(lambda: client().wrap_bio(*pair)) == ['check_hostname requires server_hostname']
    offered = client().wrap_bio(*pair, server_hostname='a').shared_ciphers()
    assert ('TLS_AES_128_GCM_SHA256', 'TLSv1.3', 128) in offered, offered
"#;
    all_hold(&mut Bench::new(), "Words", source, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_comes_and_goes_leaves_nothing() {
    let source = r#"
import collections, sys

@case
def dicts_and_sets_stay_small():
    kept = {n: n for n in range(5)}
    members = set(kept)
    ordered = collections.OrderedDict(kept)
    before = [sys.getsizeof(it) for it in (kept, members, ordered)]
    for _ in range(20000):
        kept['key'] = 1
        del kept['key']
        ordered['key'] = 1
        ordered.pop('key')
        members.add('key')
        members.discard('key')
    after = [sys.getsizeof(it) for it in (kept, members, ordered)]
    assert all(now < 2 * then + 1000 for then, now in zip(before, after)), (before, after)
    assert list(kept) == list(ordered) == sorted(members) == list(range(5))

@case
def classes_that_are_gone_leave_a_bounded_rest():
    import _cordon_heap, gc
    class Base:
        pass
    def made(count):
        for _ in range(count):
            type('Short', (Base,), {})
        gc.collect()
        return _cordon_heap.in_use()[0]
    before = made(1000)
    grown = made(30000) - before
    # Each left 52 bytes until they were looked through.
    assert grown < 800000, grown

@case
def what_is_put_in_during_an_iteration_is_told():
    kept = dict.fromkeys(range(8))
    seen = iter(kept)
    next(seen)
    kept[8] = None
    raises(RuntimeError, 'changed', lambda: next(seen))
"#;
    all_hold(&mut Bench::new(), "Keys", source, "").await;
}
