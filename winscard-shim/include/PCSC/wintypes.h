/*
 * The C types of pcsc-lite's API.
 *
 * DWORD and LONG are as wide as `long`: 64 bits on a 64-bit Linux, unlike on Windows.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef SCARD_PCSC_WINTYPES_H
#define SCARD_PCSC_WINTYPES_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef BYTE
typedef unsigned char BYTE;
#endif
typedef unsigned char UCHAR;
typedef unsigned short USHORT;
typedef unsigned short WORD;
typedef short BOOL;
typedef unsigned long ULONG;
typedef unsigned long DWORD;
typedef long LONG;

typedef BYTE *LPBYTE;
typedef const BYTE *LPCBYTE;
typedef UCHAR *PUCHAR;
typedef ULONG *PULONG;
typedef DWORD *PDWORD;
typedef DWORD *LPDWORD;
typedef void *LPVOID;
typedef const void *LPCVOID;
typedef char *LPSTR;
typedef const char *LPCSTR;
typedef LPSTR LPTSTR;
typedef LPCSTR LPCTSTR;

#ifdef __cplusplus
}
#endif

#endif
