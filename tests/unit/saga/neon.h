/*
 * Neon's replies in its own shapes, as texts for lines of a conversation.
 */
#ifndef SAGA_NEON_H
#define SAGA_NEON_H

#include "talk.h"

// What a line of a conversation leaves out is not looked at.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define AT(hour) ",'created_at':'2026-11-22T0" hour ":00:00Z'"
#define MARK_OF(branch, command)                                                                   \
    "'" branch "':{'object':{'type':'console/branch','id':'" branch "'},'value':{"                 \
    "'provisioner.installation':'" TALK_INSTALLATION "','provisioner.application':'shop',"         \
    "'provisioner.environment':'production','provisioner.command':'" command "'}}"
#define OURS(branch) MARK_OF(branch, TALK_ID)
#define EARLIER(branch) MARK_OF(branch, TALK_OTHER_ID)

#define PROJECT(id, name, hour)                                                                    \
    "{'id':'" id "','name':'" name "','region_id':'aws-eu-central-1','pg_version':17,"             \
    "'history_retention_seconds':86400" AT(hour) "}"
#define PROJECTS(list) "200 {'projects':[" list "]}"
#define PROJECTS_PAGE(list, cursor)                                                                \
    "200 {'projects':[" list "],'pagination':{'cursor':'" cursor "'}}"
#define NO_PROJECTS PROJECTS("")
#define ONE_PROJECT(id) PROJECTS(PROJECT(id, "shop-production", "9"))

#define BRANCH_AS(id, parent, name, hour, more)                                                    \
    "{'id':'" id "','project_id':'p-1','parent_id':'" parent "','name':'" name "',"                \
    "'current_state':'ready'" AT(hour) more "}"
#define ROOT(id) BRANCH_AS(id, "", "main", "9", ",'default':true")
#define CHILD(id, name) BRANCH_AS(id, "br-parent", name, "9", "")
// As Neon takes it and we don't: 256 characters in more bytes than that.
#define LONG_64 "äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäö"
#define LONG_NAME LONG_64 LONG_64 LONG_64 LONG_64 LONG_64
#define BRANCHES(list, annotations) "200 {'branches':[" list "],'annotations':{" annotations "}}"
#define BRANCHES_PAGE(list, annotations, cursor)                                                   \
    "200 {'branches':[" list "],'annotations':{" annotations "},'pagination':{'next':'" cursor "'" \
    "}"                                                                                            \
    "}"
#define NO_BRANCHES BRANCHES("", "")
#define GUARDED(id, mark, find, check)                                                             \
    {mark, "ok", "state=deleting|lock=" id}, {find, "0", "lock=" id},                              \
    {                                                                                              \
        check, BRANCHES(ROOT("br-1"), ""), "GET /projects/" id "/branches"                         \
    }
#define UNDO_GUARDED(id)                                                                           \
    GUARDED(id, "undo_mark_deleting", "undo_find_dependents", "undo_check_branches")
#define LEFTOVER_GUARDED(id) GUARDED(id, "mark_leftover", "find_inhabitants", "check_leftover")
#define ONE_BRANCH(branch) "200 {'branch':" branch "}"

#define ERROR(status, code, message) status " {'code':'" code "','message':'" message "'}"
#define NOT_FOUND ERROR("404", "", "not found")
#define LOCKED ERROR("423", "", "project already has running conflicting operations")
#define DENIED ERROR("401", "", "supplied credentials do not pass authentication")
#define EXISTS ERROR("409", "BRANCH_ALREADY_EXISTS", "branch already exists")
#define BROKEN ERROR("500", "", "unknown internal server error")
#define AWAY ERROR("503", "", "please try again later")
#define UNREADABLE "200 {'something':'else'}"

#define URI(host) "postgresql://app_owner:pw-1@" host ".eu.aws.neon.tech/app?sslmode=require"
#define CONNECTION_URI(host) "200 {'uri':'" URI(host) "'}"
#define OPERATION(status)                                                                          \
    "200 {'operation':{'id':'op-1','action':'start_compute','status':'" status                     \
    "','failures_count':0}}"
#define ENDPOINT(state)                                                                            \
    "200 {'endpoints':[{'id':'ep-1','branch_id':'br-1','host':'ep-1.eu.aws.neon.tech',"            \
    "'type':'read_write','current_state':'" state "','autoscaling_limit_min_cu':0.25,"             \
    "'autoscaling_limit_max_cu':1,'suspend_timeout_seconds':300}]}"
#define DATABASES                                                                                  \
    "200 {'databases':[{'name':'app','owner_name':'app_owner'},"                                   \
    "{'name':'jobs','owner_name':'app_owner'}]}"
#define REGIONS "200 {'regions':[{'region_id':'aws-us-east-1'},{'region_id':'aws-eu-central-1'}]}"

#define CREATED_AS(id, branch, rest)                                                               \
    "201 {'project':" PROJECT(id, "shop-production", "9") ",'branch':" branch rest "}"
#define CREATED                                                                                    \
    CREATED_AS(                                                                                    \
        "p-1", ROOT("br-1"),                                                                       \
        ",'operations':[{'id':'op-1'}],'connection_uris':[{'connection_uri':'" URI(                \
            "ep-1") "','connection_parameters':{'pooler_host':'ep-1-pooler.eu.aws.neon.tech'}}]")
#define BRANCHED "201 {'branch':" CHILD("br-1", "shop-production") ",'operations':[{'id':'op-1'}]}"
#define ROLES(list) "200 {'roles':[" list "]}"
#define ROLE(name) "{'name':'" name "'}"
#define PASSWORD(text) "200 {'password':'" text "'}"

#define CREATE                                                                                     \
    "'createEnvironment':{'environment':'production','account':'main','regionId':'aws-eu-central-" \
    "1'}"
#define BRANCH_FROM(source) "'branchEnvironment':{'environment':'production'," source "}"
#define BRANCH BRANCH_FROM("'sourceBranch':{'account':'main','projectId':'p-1','branch':'main'}")
#define BRANCH_OF_ENVIRONMENT BRANCH_FROM("'sourceEnvironment':'staging'")
#define DELETE "'deleteEnvironment':{'environment':'production'}"
#define DELETE_ALL "'deleteEnvironment':{'environment':'production','deleteData':true}"

// An environment's roles are made.
#define ROLES_MADE                                                                                 \
    {"prepare_passwords", "1"}, {"apply_roles", "{'set':['encore_admin']}"},                       \
    {                                                                                              \
        "keep_passwords", "ok"                                                                     \
    }

#endif
