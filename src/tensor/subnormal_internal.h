/* Numbers too small for the exponent of a normalised one (1e-38, or 1e-308 in double), where the processor can take
 * them for 0. What has become 0 but for rounding, as gradients of what is learned and their moving averages, are such
 * numbers sooner or later; with them everything takes many times as long.
 *
 *     const lg_float_mode before = lg_flush_subnormals();
 *     ...                                                  operands and results that are subnormal count as 0
 *     lg_restore_float_mode(before);
 *
 * On this thread, and in what it gives to others by lg_parallel. */
#ifndef LG_SUBNORMAL_INTERNAL_H
#define LG_SUBNORMAL_INTERNAL_H

typedef unsigned lg_float_mode;

#if defined(__x86_64__) && defined(__GNUC__)
static inline lg_float_mode lg_get_float_mode(void)
{
    return __builtin_ia32_stmxcsr();
}

static inline void lg_restore_float_mode(lg_float_mode mode)
{
    __builtin_ia32_ldmxcsr(mode);
}

static inline lg_float_mode lg_flush_subnormals(void)
{
    const lg_float_mode before = lg_get_float_mode();
    lg_restore_float_mode(before | 0x8040); /* results to 0, operands are 0 */
    return before;
}
#else
static inline lg_float_mode lg_get_float_mode(void)
{
    return 0;
}

static inline void lg_restore_float_mode(lg_float_mode mode)
{
    (void)mode;
}

static inline lg_float_mode lg_flush_subnormals(void)
{
    return 0;
}
#endif

#endif
