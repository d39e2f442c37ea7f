#include "trainer_steps.h"

static lg_status prepare_and_train(const trainer *about, const trainer_options *options, const trainer_steps *steps,
                                   void *model, int argc, const char *const *argv, lg_history **history)
{
    lg_status status = steps->prepare(model);
    if (status != LG_OK || options->dry_run)
        return status;
    run *r = trainer_open(about, options, argc, argv);
    status = r ? steps->train(model, r, history) : lg_error_code();
    status = trainer_close(r, *history, status);
    run_free(r);
    return status;
}

int trainer_main(const trainer *about, const trainer_options *options, const trainer_steps *steps, void *model,
                 int argc, char **argv)
{
    const char *const *words = (const char *const *)argv;
    lg_history *history = NULL;
    lg_status status = run_check(options->out, options->overwrite);
    if (status == LG_OK && options->predict)
        status = steps->predict(model, argc, words);
    else if (status == LG_OK)
        status = prepare_and_train(about, options, steps, model, argc, words, &history);
    const int signal_number = lg_history_signal(history);
    lg_history_free(history);
    steps->release(model);
    return trainer_end(status, signal_number);
}
