//! docker-compose.yml as it is read: services with what a container engine would make of them.

use std::collections::BTreeMap;

use yaml_rust2::{Yaml, YamlLoader};

use crate::read;

/// A folder or file of the host, or a named volume, in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) read_only: bool,
}

impl Mount {
    /// Whether it is a path of the repository, relative to `deploy/`.
    pub(crate) fn is_path(&self) -> bool {
        self.from.starts_with('.')
    }
}

#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) image: String,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) command: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) mounts: Vec<Mount>,
    pub(crate) ports: Vec<String>,
    /// Service and condition.
    pub(crate) depends_on: BTreeMap<String, String>,
    pub(crate) has_healthcheck: bool,
    pub(crate) healthcheck_disabled: bool,
    pub(crate) read_only: bool,
    pub(crate) user: String,
    pub(crate) dockerfile: Option<String>,
}

pub(crate) struct Compose {
    pub(crate) services: BTreeMap<String, Service>,
    pub(crate) volumes: Vec<String>,
    /// Variables that the file takes from its environment.
    pub(crate) variables: Vec<String>,
}

impl Compose {
    pub(crate) fn read() -> Self {
        let text = read("deploy/docker-compose.yml");
        let mut variables = Vec::new();
        let text = interpolate(&text, &mut variables);
        let documents = YamlLoader::load_from_str(&text).unwrap();
        let root = &documents[0];
        let services =
            entries(&root["services"]).map(|(name, service)| (name, Service::of(&service)));
        Self {
            services: services.collect(),
            volumes: entries(&root["volumes"]).map(|(name, _)| name).collect(),
            variables,
        }
    }
}

impl Service {
    fn of(yaml: &Yaml) -> Self {
        let yaml = &merged(yaml);
        let depends_on =
            entries(&yaml["depends_on"]).map(|(name, how)| (name, text(&how["condition"])));
        Self {
            image: text(&yaml["image"]),
            entrypoint: texts(&yaml["entrypoint"]),
            command: texts(&yaml["command"]),
            environment: entries(&yaml["environment"])
                .map(|(name, value)| (name, text(&value)))
                .collect(),
            mounts: texts(&yaml["volumes"])
                .iter()
                .map(|mount| parse_mount(mount))
                .collect(),
            ports: texts(&yaml["ports"]),
            depends_on: depends_on.collect(),
            has_healthcheck: !yaml["healthcheck"]["test"].is_badvalue(),
            healthcheck_disabled: yaml["healthcheck"]["disable"].as_bool() == Some(true),
            read_only: yaml["read_only"].as_bool() == Some(true),
            user: text(&yaml["user"]),
            dockerfile: yaml["build"]["dockerfile"].as_str().map(str::to_owned),
        }
    }
}

/// `<<:` is no part of YAML's core: what it names is filled in where the mapping has no key of its own.
fn merged(yaml: &Yaml) -> Yaml {
    let Yaml::Hash(own) = yaml else {
        return yaml.clone();
    };
    let mut all = own.clone();
    let merge = Yaml::String("<<".to_owned());
    if let Some(Yaml::Hash(base)) = own.get(&merge) {
        for (key, value) in base {
            if !all.contains_key(key) {
                all.insert(key.clone(), value.clone());
            }
        }
    }
    Yaml::Hash(all)
}

fn entries(yaml: &Yaml) -> impl Iterator<Item = (String, Yaml)> + '_ {
    let hash = yaml.as_hash().into_iter().flatten();
    hash.map(|(key, value)| (text(key), value.clone()))
}

fn texts(yaml: &Yaml) -> Vec<String> {
    yaml.as_vec()
        .map(|list| list.iter().map(text).collect())
        .unwrap_or_default()
}

fn text(yaml: &Yaml) -> String {
    match yaml {
        Yaml::String(text) | Yaml::Real(text) => text.clone(),
        Yaml::Integer(number) => number.to_string(),
        Yaml::Boolean(value) => value.to_string(),
        Yaml::Null | Yaml::BadValue => String::new(),
        Yaml::Array(_) | Yaml::Hash(_) | Yaml::Alias(_) => panic!("no text: {yaml:?}"),
    }
}

fn parse_mount(mount: &str) -> Mount {
    let parts: Vec<&str> = mount.split(':').collect();
    Mount {
        from: parts[0].to_owned(),
        to: parts[1].to_owned(),
        read_only: parts.get(2) == Some(&"ro"),
    }
}

/// `${NAME:-default}` becomes the default, `$$` a dollar, as a container engine does it without an environment.
fn interpolate(text: &str, variables: &mut Vec<String>) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        done.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            done.push('$');
            rest = after;
            continue;
        }
        let inner = after
            .strip_prefix('{')
            .and_then(|after| after.split_once('}'));
        let (variable, after) = inner.unwrap_or_else(|| panic!("no variable: ${after:.40}"));
        let (name, default) = variable
            .split_once(":-")
            .unwrap_or_else(|| panic!("{variable} has no default"));
        variables.push(name.to_owned());
        done.push_str(default);
        rest = after;
    }
    done.push_str(rest);
    done
}
