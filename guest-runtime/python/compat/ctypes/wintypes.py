"""``ctypes.wintypes``: the names that modules mention at import."""

import ctypes as _ctypes

BYTE = _ctypes.c_byte
WORD = _ctypes.c_ushort
DWORD = _ctypes.c_ulong
BOOL = _ctypes.c_long
INT = _ctypes.c_int
UINT = _ctypes.c_uint
LONG = _ctypes.c_long
ULONG = _ctypes.c_ulong
HANDLE = HWND = HINSTANCE = HMODULE = LPVOID = _ctypes.c_void_p
LPSTR = LPCSTR = _ctypes.c_char_p
LPWSTR = LPCWSTR = _ctypes.c_wchar_p
