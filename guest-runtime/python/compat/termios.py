"""``termios``: there is no terminal in a component."""

import errno as _errno


class error(Exception):
    pass


TCSANOW, TCSADRAIN, TCSAFLUSH = 0, 1, 2
TCIFLUSH, TCOFLUSH, TCIOFLUSH = 0, 1, 2
TCOOFF, TCOON, TCIOFF, TCION = 0, 1, 2, 3
IGNBRK, BRKINT, IGNPAR, PARMRK, INPCK, ISTRIP = 1, 2, 4, 8, 16, 32
INLCR, IGNCR, ICRNL, IXON, IXANY, IXOFF = 64, 128, 256, 1024, 2048, 4096
OPOST, ONLCR = 1, 4
CSIZE, CS5, CS6, CS7, CS8, CSTOPB = 48, 0, 16, 32, 48, 64
CREAD, PARENB, PARODD, HUPCL, CLOCAL, CRTSCTS = 128, 256, 512, 1024, 2048, 2147483648
ISIG, ICANON, ECHO, ECHOE, ECHOK, ECHONL, NOFLSH, TOSTOP, IEXTEN = (
    1,
    2,
    8,
    16,
    32,
    64,
    128,
    256,
    32768,
)
VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN = 0, 1, 2, 3, 4, 5, 6
B0, B50, B75, B110, B134, B150, B200, B300, B600, B1200 = range(10)
B1800, B2400, B4800, B9600, B19200, B38400 = range(10, 16)
B57600, B115200, B230400 = 4097, 4098, 4099
TIOCGWINSZ, TIOCEXCL, TIOCNXCL, FIONREAD, TIOCINQ = 21523, 21516, 21517, 21531, 21531
TIOCMGET, TIOCMBIS, TIOCMBIC, TIOCMSET = 21525, 21526, 21527, 21528
TIOCM_DTR, TIOCM_RTS, TIOCM_CTS, TIOCM_CAR, TIOCM_RNG, TIOCM_DSR = 2, 4, 32, 64, 128, 256


def _no_terminal(fd, *args):
    raise error(_errno.ENOTTY, "Inappropriate ioctl for device")


tcgetattr = tcsetattr = tcsendbreak = tcdrain = tcflush = tcflow = _no_terminal
tcgetwinsize = tcsetwinsize = _no_terminal
