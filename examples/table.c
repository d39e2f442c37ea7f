#include "table.h"

lg_status table_load(table_model *t, const trainer *about, const trainer_options *options)
{
    if (!options->load)
        return LG_OK;
    t->loaded = &t->file;
    return loaded_open(t->loaded, about, options);
}

lg_status table_read(table_model *t, const trainer_options *options, lg_csv_options csv, lg_dataset *(*embedded)(void),
                     size_t fold_count, bool scale)
{
    if (t->loaded && !(csv.like = loaded_like(t->loaded, true)))
        return lg_error_code();
    lg_dataset *all = options->data ? trainer_read(options, csv) : embedded();
    const bool divide = all && fold_count && options->test_split == 0 && !t->loaded;
    if (divide && !(t->folds = folds_new(all, fold_count, scale))) {
        lg_dataset_free(all);
        return lg_error_code();
    }
    lg_status status = trainer_split(&t->data, options, all);
    if (status == LG_OK)
        status = folds_check(t->folds, &t->data);
    if (status == LG_OK && t->loaded)
        status = loaded_scale(t->loaded, &t->data);
    else if (status == LG_OK && scale)
        status = trainer_scale(&t->data);
    return status == LG_OK ? trainer_print_data(options, &t->data) : status;
}

lg_status table_outputs(table_model *t, const trainer_options *options, const fold_trainer *how, lg_tensor **rows,
                        lg_tensor **held_out)
{
    *held_out = NULL;
    *rows = lg_predict(how->outputs, t, t->data.all, &(lg_fit_options){ .batch_size = 4096 });
    if (!*rows)
        return lg_error_code();
    if (t->folds)
        *held_out = folds_predict(t->folds, &t->data, options, how);
    return *held_out || !t->folds || interrupt_signal() ? LG_OK : lg_error_code();
}

void table_release(void *model)
{
    table_model *t = model;
    lg_optimizer_free(t->optimizer);
    lg_params_free(t->params);
    folds_free(t->folds);
    trainer_data_free(&t->data);
    loaded_close(&t->file);
    *t = (table_model){ 0 };
}
