"""Our ``ctypes`` beside the interpreter's own: sizes, places, values and errors."""

import copy
import ctypes as real
import importlib
import os
import sys
import types
import unittest

from test_compat import COMPAT, Case


class Ctypes(Case):
    def setUp(self):
        super().setUp()
        for name in [name for name in sys.modules if name.partition(".")[0] == "ctypes"]:
            del sys.modules[name]
        sys.path.insert(0, COMPAT)
        self.ours = importlib.import_module("ctypes")
        self.assertEqual(os.path.dirname(os.path.dirname(self.ours.__file__)), COMPAT)

    def both(self, work):
        """The results of a function for each module; they are the same, or the test fails."""
        outcomes = []
        for module in (real, self.ours):
            try:
                outcomes.append(work(module))
            except Exception as failure:
                outcomes.append(type(failure).__name__)
        self.assertEqual(*outcomes)
        return outcomes[1]

    def test_numbers_wrap_round(self):
        for name in "c_int8 c_uint8 c_int16 c_uint16 c_int32 c_uint32 c_int64 c_uint64".split():
            for value in (0, -1, 1 << 7, 1 << 15, (1 << 31) + 5, 1 << 64, 3.5, "x", None):
                self.both(lambda m, name=name, value=value: getattr(m, name)(value).value)
        self.both(lambda m: (m.c_float(0.1).value, m.c_double(0.1).value, m.c_bool(7).value))
        self.both(lambda m: (m.c_char(b"x").value, m.c_char(65).value, m.c_char_p(b"ab").value))
        self.both(lambda m: m.c_char(b"xy"))
        self.both(lambda m: repr(m.c_uint16(70000)))

    def test_arrays(self):
        def work(m):
            kind = m.c_uint8 * 14
            made = kind(1, 2, 300)
            made[13] = 9
            made[4:6] = (7, 8)
            return m.sizeof(kind), len(made), list(made), made[-1], made[:3], bytes(made)

        self.assertEqual(self.both(work)[0], 14)
        self.both(lambda m: (m.c_int16 * 2)(1, 2, 3))
        self.both(lambda m: (m.c_int16 * 2)()[2])
        self.both(lambda m: m.c_int16 * -1)
        self.both(lambda m: [list(row) for row in (m.c_int8 * 2 * 3)((1, 2), (3, 4))])
        self.both(lambda m: (m.create_string_buffer(b"abc").raw, len(m.create_string_buffer(9))))
        self.both(lambda m: m.create_string_buffer(b"ab\0c", 6).value)

    def test_structures_lie_as_a_compiler_puts_them(self):
        def of(m, pack, base="Structure"):
            fields = [
                ("a", m.c_uint8),
                ("b", m.c_uint32),
                ("c", m.c_uint8 * 3),
                ("d", m.c_double),
                ("e", m.c_int16),
            ]
            body = {"_fields_": fields}
            if pack:
                body["_pack_"] = pack
            return types.new_class("S", (getattr(m, base),), {}, lambda ns: ns.update(body))

        for pack in (None, 1, 2, 4):
            for base in ("Structure", "Union", "BigEndianStructure"):

                def work(m, pack=pack, base=base):
                    kind = of(m, pack, base)
                    places = [getattr(kind, name).offset for name in "abcde"]
                    made = kind(1, 0x01020304)
                    made.e = -2
                    again = kind.from_buffer_copy(bytes(made))
                    return m.sizeof(kind), places, bytes(made), again.b, again.e, list(again.c)

                self.both(work)
        self.both(lambda m: of(m, None)(1, 2, (1, 2, 3), 4, 5, 6))
        self.both(lambda m: of(m, None).from_buffer_copy(b"short"))

    def test_parts_share_the_memory_of_the_whole(self):
        def work(m):
            class Inner(m.Structure):
                _fields_ = [("x", m.c_uint8), ("y", m.c_uint16)]

            class Outer(m.Structure):
                _anonymous_ = ["inner"]
                _fields_ = [("n", m.c_uint8), ("inner", Inner), ("name", m.c_char * 4)]

            class More(Outer):
                _fields_ = [("z", m.c_uint8)]

            made = More()
            made.inner.y = 513
            made.x = 7
            made.name = b"ab"
            made.z = 255
            part = made.inner
            part.x = 8
            other = More()
            other.inner = part
            copied = copy.copy(made)
            copied.x = 1
            memory = bytearray(bytes(made))
            view = More.from_buffer(memory)
            view.n = 99
            return bytes(made), made.name, bytes(other), made.x, memory[0], m.sizeof(More)

        self.both(work)

    def test_bit_fields(self):
        def work(m, base):
            class Bits(getattr(m, base)):
                _fields_ = [
                    ("low", m.c_uint8, 3),
                    ("sign", m.c_int8, 2),
                    ("next", m.c_uint16, 9),
                    ("after", m.c_uint16, 7),
                    ("whole", m.c_uint8),
                ]

            made = Bits(low=9, sign=-1, next=300, after=100, whole=5)
            return bytes(made), made.low, made.sign, made.next, made.after, m.sizeof(Bits)

        # Only fields of one type share a unit with us: the values agree, not every place.
        real_, ours = work(real, "Structure"), work(self.ours, "Structure")
        self.assertEqual(real_[1:5], ours[1:5])

        def same(m, base):
            class Bits(getattr(m, base)):
                _fields_ = [("a", m.c_uint16, 4), ("b", m.c_uint16, 12), ("c", m.c_uint16, 3)]

            made = Bits(5, 1000, 6)
            return bytes(made), made.a, made.b, made.c

        for base in ("Structure", "BigEndianStructure"):
            self.both(lambda m, base=base: same(m, base))

    def test_pointers_hold_objects(self):
        def work(m):
            number = m.c_int(5)
            leads = m.pointer(number)
            leads[0] = 6
            leads.contents.value += 1
            return number.value, bool(m.POINTER(m.c_int)()), leads[0]

        self.both(work)
        self.both(lambda m: m.POINTER(m.c_int)().contents)
        ours = self.ours
        target = ours.create_string_buffer(8)
        ours.memmove(target, b"12345678", 5)
        ours.memset(target, 65, 2)
        self.assertEqual(ours.string_at(target), b"AA345")
        for call in (
            lambda: ours.memmove(target, b"1", 2),
            lambda: ours.memset(target, 0, 9),
        ):
            self.assertRaises(ValueError, call)

    def test_native_code_is_refused(self):
        ours = self.ours
        for call in (
            lambda: ours.CDLL("libc.so.6"),
            lambda: ours.cdll.kernel32,
            lambda: ours.pythonapi.Py_IncRef,
            lambda: ours.addressof(ours.c_int()),
            lambda: ours.CFUNCTYPE(None)(print),
        ):
            with self.assertRaisesRegex(OSError, "native libraries"):
                call()

    def test_an_exception_for_another_thread_goes_through_the_runtime(self):
        calls = []
        sys.modules["_cordon_thread"] = types.SimpleNamespace(
            raise_in_thread=lambda *given: calls.append(given) or 1
        )
        raise_in = self.ours.pythonapi.PyThreadState_SetAsyncExc
        self.assertEqual(raise_in(self.ours.c_long(7), self.ours.py_object(SystemExit)), 1)
        self.assertEqual(raise_in(7, None), 1)
        self.assertEqual(raise_in(self.ours.c_ulong(7), self.ours.c_void_p(0)), 1)
        self.assertEqual(calls, [(7, SystemExit), (7, None), (7, None)])


if __name__ == "__main__":
    unittest.main()
