//! How parameters are declared: one line each, with its type and the carrier's name for it.

/// A group of parameters that come together, as a view of [`Params`](crate::params::Params).
///
/// `method: Type = "Name" | "OlderName"` becomes `fn method(&self) -> Option<Type>`, which reads the
/// first of the names that has a value.
macro_rules! group {
    (
        $(#[$doc:meta])*
        $group:ident {
            $($(#[$method_doc:meta])* $method:ident: $type:ty = $name:literal $(| $alias:literal)*;)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $group<'a> {
            params: &'a $crate::params::Params,
        }

        impl<'a> $group<'a> {
            pub(crate) fn new(params: &'a $crate::params::Params) -> Self {
                Self { params }
            }

            $(
                $(#[$method_doc])*
                #[doc = ""]
                #[doc = concat!("Parameter `", $name, "`" $(, ", or `", $alias, "`")*, ".")]
                #[must_use]
                pub fn $method(&self) -> Option<$type> {
                    self.params.read(&[$name $(, $alias)*])
                }
            )+

            /// Each parameter's name, and what its method finds.
            #[cfg(test)]
            pub(crate) fn readings(&self) -> Vec<crate::params::tests::Reading> {
                let mut readings = Vec::new();
                $({
                    let found = self.$method().map(|value| format!("{value:?}"));
                    readings.push(($name, found.clone()));
                    $(readings.push(($alias, found.clone()));)*
                })+
                readings
            }
        }
    };
}

/// Parameters as methods of `Call`, `Message` and `Event` themselves, and the groups these hand out.
///
/// The name in front is that of the function which tells tests what these methods find.
macro_rules! methods {
    ($readings:ident: [$($word:ident)+] $methods:tt $groups:tt) => {
        $($crate::params::declare::methods!(@ $readings $word $methods $groups);)+
    };
    (@
        $readings:ident $word:ident
        {
            $($(#[$method_doc:meta])* $method:ident: $type:ty = $name:literal $(| $alias:literal)*;)*
        }
        {
            $($(#[$group_doc:meta])* $accessor:ident: $group:ident;)*
        }
    ) => {
        impl $crate::$word {
            $(
                $(#[$method_doc])*
                #[doc = ""]
                #[doc = concat!("Parameter `", $name, "`" $(, ", or `", $alias, "`")*, ".")]
                #[must_use]
                pub fn $method(&self) -> Option<$type> {
                    self.params().read(&[$name $(, $alias)*])
                }
            )*

            $(
                $(#[$group_doc])*
                #[must_use]
                pub fn $accessor(&self) -> $group<'_> {
                    $group::new(self.params())
                }
            )*

            /// Each parameter's name, and what its method finds.
            #[cfg(test)]
            pub(crate) fn $readings(&self) -> Vec<crate::params::tests::Reading> {
                #[allow(unused_mut)] // where there are neither methods nor groups
                let mut readings = Vec::new();
                $({
                    let found = self.$method().map(|value| format!("{value:?}"));
                    readings.push(($name, found.clone()));
                    $(readings.push(($alias, found.clone()));)*
                })*
                $(readings.extend(self.$accessor().readings());)*
                readings
            }
        }
    };
}

pub(crate) use {group, methods};
