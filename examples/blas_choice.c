/* Starts the program anew, once, before main has begun, where OpenBLAS fell back to kernels that are decades older than
 * the processor (blas_choice.h): what it is to take is said by an environment variable that it reads when it is loaded,
 * and cannot be told later. Process, arguments, open files and signals stay as they are. Costs about 3 ms. */
#include "blas_choice.h"

#include <luge.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* Before AVX: what OpenBLAS takes for processors that it does not know. */
static bool old_kernels(const char *kernels)
{
    static const char *const old[] = { "Prescott", "Core2", "Penryn", "Dunnington", "Nehalem", "Atom", "Opteron",
                                       "Opteron_SSE3", "Barcelona", "Bobcat", "Nano" };
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        if (strcmp(kernels, old[i]) == 0)
            return true;
    return false;
}

const char *better_blas_kernels(const char *kernels)
{
    if (!old_kernels(kernels))
        return NULL;
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "Haswell";
#endif
    return NULL;
}

/* Whether /proc/self/exe with these arguments is this program, alone on the processor: not its loader called by name
 * (which has no loader of its own), and not valgrind, from which a program that starts another escapes. */
static bool may_start_anew(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    return getauxval(AT_BASE) != 0 && !(preloaded && strstr(preloaded, "vgpreload"));
}

/* Of OpenBLAS on pthreads; another BLAS leaves them NULL. */
extern void openblas_set_num_threads(int threads) __attribute__((weak));
extern int blas_thread_shutdown_(void) __attribute__((weak));

/* Ends OpenBLAS's own threads, which luge does not use: they would spin for the first tenth of a second. Before main
 * they have no work. To be told their number again they would come back, so it is told first. */
static void end_blas_threads(void)
{
    if (!openblas_set_num_threads || !blas_thread_shutdown_)
        return;
    openblas_set_num_threads(1);
    blas_thread_shutdown_();
}

/* glibc gives main's arguments to constructors as well. Never a second time: the variable is set then. OpenBLAS's own
 * threads, which luge does not use, would spin for the first tenth of a second. Where starting fails, the old kernels
 * do. */
#ifdef __GLIBC__
__attribute__((constructor)) static void choose_blas(int argc, char **argv, char **environment)
{
    (void)argc, (void)environment;
    const char *better = getenv("OPENBLAS_CORETYPE") ? NULL : better_blas_kernels(lg_blas_kernels());
    char path[PATH_MAX];
    const ssize_t length = better && may_start_anew() ? readlink("/proc/self/exe", path, sizeof path - 1) : -1;
    if (length <= 0) {
        end_blas_threads();
        return;
    }
    path[length] = '\0';
    if (setenv("OPENBLAS_CORETYPE", better, true) == 0 && setenv("OPENBLAS_NUM_THREADS", "1", false) == 0)
        execv(path, argv);
    unsetenv("OPENBLAS_CORETYPE");
}
#endif
