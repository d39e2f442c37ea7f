/* An allocator for tests that counts, finds leaks, and fails on request. The test program is linked with
 * -Wl,--wrap=malloc,calloc,realloc,aligned_alloc,free, so that every call of the library (not of shared libraries such
 * as OpenBLAS) passes through here, under a sanitizer too.
 *
 * While an allocation is set to fail, or blocks are being tracked, use no ck_assert: Check allocates as well. */
#ifndef FAIL_ALLOC_H
#define FAIL_ALLOC_H

#include "tensor/base.h"

/* Starts counting from zero and tracking blocks; the n-th allocation from now fails, once (1: the next; 0: none). */
void fail_alloc_at(size_t n);

/* No more failing, and no more tracking; what was counted can still be read. */
void fail_alloc_off(void);

/* Since fail_alloc_at: how many allocations were asked for; whether the n-th came and failed; how many blocks were
 * allocated and not freed (blocks from before, or from elsewhere, do not matter when they are freed). */
size_t fail_alloc_count(void);
bool fail_alloc_failed(void);
size_t fail_alloc_live(void);

/* Runs `scenario` once as it is, then with its first allocation failing, its second, and so on until none is left to
 * fail. The scenario frees all that it makes and returns the status of what failed, or LG_OK. Asserts of each run: with
 * a failed allocation the status is negative and lg_error_code() is LG_E_MEMORY with a message; without, LG_OK; and no
 * block is left. Returns how many allocations were failed, one after the other. */
size_t for_each_allocation_failure(lg_status (*scenario)(void *context), void *context);

#endif
