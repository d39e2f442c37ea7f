#include "gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

const char gnuplot_failed[] = "gnuplot failed";

/* Starts gnuplot with its input from `input` and its output to `output`; 0 or the reason (errno). -d: a user's own
 * settings do not change the picture. */
static int start_gnuplot(int input, int output, pid_t *process)
{
    char *const arguments[] = { "gnuplot", "-d", "-", NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure)
        return failure;
    failure = posix_spawnattr_init(&attributes);
    if (failure) {
        posix_spawn_file_actions_destroy(&actions);
        return failure;
    }
    if (!(failure = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)) &&
        !(failure = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)) &&
        !(failure = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)))
        failure = posix_spawnp(process, arguments[0], &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

/* Waits for the end of gnuplot; true when it reports success. */
static bool end_gnuplot(pid_t process)
{
    int status;
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Feeds the script to gnuplot. */
static const char *run_gnuplot(int output, const char *terminal, plot_script *script, const void *context)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return strerror(errno);
    pid_t process;
    int failure = start_gnuplot(ends[0], output, &process);
    close(ends[0]);
    FILE *pipe = failure ? NULL : fdopen(ends[1], "w");
    if (pipe) {
        fprintf(pipe, "set terminal %s\nset encoding utf8\n", terminal);
        script(pipe, context);
        fclose(pipe);
    } else {
        close(ends[1]);
    }
    if (failure)
        return failure == ENOENT ? "gnuplot is not installed (on Debian: apt-get install gnuplot-nox)" : strerror(failure);
    return end_gnuplot(process) ? NULL : gnuplot_failed;
}

const char *gnuplot_run(int output, const char *terminal, plot_script *script, const void *context)
{
    /* A gnuplot that dies early must not take this program along. */
    struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
    sigaction(SIGPIPE, &ignore, &before);
    const char *failure = run_gnuplot(output, terminal, script, context);
    sigaction(SIGPIPE, &before, NULL);
    return failure;
}

void plot_string(FILE *gnuplot, const char *text)
{
    fputc('\'', gnuplot);
    for (; *text; text++)
        if (*text == '\'')
            fputs("''", gnuplot);
        else
            fputc((unsigned char)*text < ' ' || *text == 127 ? ' ' : *text, gnuplot);
    fputc('\'', gnuplot);
}
