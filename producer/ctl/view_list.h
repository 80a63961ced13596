/*
 * Lists of states: all environments, previews, or accounts.
 */
#ifndef CTL_VIEW_LIST_H
#define CTL_VIEW_LIST_H

#include "ctl/view.h"

// With `prefix`, only those whose name begins with it. Exit code.
int view_list(const View *view, ProvisionSubjectKind kind, const char *prefix);

#endif
