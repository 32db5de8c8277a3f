// Properties of managed objects, read by paths such as config.hardware.device.

package main

import (
	"errors"
	"path"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// shown is a managed object as the API shows it: a value of a type of package mo.
type shown struct{ value reflect.Value }

// managed digs the API's type out of those that embed it as their first field.
func managed(of mo.Reference) (shown, bool) {
	value := reflect.ValueOf(of).Elem()
	for path.Base(value.Type().PkgPath()) != "mo" {
		if value.Kind() != reflect.Struct || value.NumField() == 0 {
			return shown{}, false
		}
		value = value.Field(0)
		if value.Kind() == reflect.Pointer {
			value = value.Elem()
		}
	}
	return shown{value}, true
}

// is says whether the object is of the type, or of one that extends it.
func (o shown) is(own, kind string) bool {
	if kind == own || kind == o.value.Type().Name() {
		return true
	}
	field, ok := o.value.Type().FieldByName(kind)
	return ok && field.Anonymous
}

// paths are all properties of the object.
func (o shown) paths() []string {
	var all []string
	var walk func(reflect.Type)
	walk = func(kind reflect.Type) {
		for i := range kind.NumField() {
			switch field := kind.Field(i); {
			case field.Anonymous:
				walk(field.Type)
			case field.Name != "Self":
				all = append(all, string(unicode.ToLower(rune(field.Name[0])))+field.Name[1:])
			}
		}
	}
	walk(o.value.Type())
	return all
}

var errNoProperty = errors.New("no such property")

// read follows a path such as `config.hardware.device` or `config.extraConfig["key"].value`; nil is a property that is
// not set.
func (o shown) read(text string) (any, error) {
	var field mo.Field
	if !field.FromString(text) {
		return nil, errNoProperty
	}
	value, err := walk(o.value, field.Path)
	if err != nil || !value.IsValid() {
		return nil, err
	}
	if field.Key == nil {
		return wire(value), nil
	}
	value, err = element(value, field.Key)
	if err != nil || !value.IsValid() {
		return nil, err
	}
	if field.Item != "" {
		if value, err = walk(value, field.Item); err != nil || !value.IsValid() {
			return nil, err
		}
	}
	return wire(value), nil
}

// walk goes down the names; an invalid value is one that is not set.
func walk(value reflect.Value, names string) (reflect.Value, error) {
	for _, name := range strings.Split(names, ".") {
		value = reached(value)
		if !value.IsValid() {
			return value, nil
		}
		if value.Kind() != reflect.Struct || name == "" {
			return reflect.Value{}, errNoProperty
		}
		next := value.FieldByName(strings.ToUpper(name[:1]) + name[1:])
		if !next.IsValid() {
			return reflect.Value{}, errNoProperty
		}
		value = next
	}
	if (value.Kind() == reflect.Pointer || value.Kind() == reflect.Interface) && value.IsNil() {
		return reflect.Value{}, nil
	}
	if value.Kind() == reflect.String && value.Len() == 0 || value.Interface() == (ref{}) {
		return reflect.Value{}, nil
	}
	return value, nil
}

// reached follows pointers and interfaces.
func reached(value reflect.Value) reflect.Value {
	for value.IsValid() && (value.Kind() == reflect.Pointer || value.Kind() == reflect.Interface) {
		if value.IsNil() {
			return reflect.Value{}
		}
		value = value.Elem()
	}
	return value
}

// element finds the element of a list by its key; an invalid value when there is none.
func element(value reflect.Value, key any) (reflect.Value, error) {
	if value.Kind() != reflect.Slice {
		return reflect.Value{}, errNoProperty
	}
	for i := range value.Len() {
		item := reached(value.Index(i))
		if item.Kind() != reflect.Struct {
			return reflect.Value{}, errNoProperty
		}
		if own := item.FieldByName("Key"); own.IsValid() && own.Interface() == key {
			return item, nil
		}
	}
	return reflect.Value{}, nil
}

var typeNamed = types.TypeFunc()

// wire is the value in the form of an answer: lists have types of their own there.
func wire(value reflect.Value) any {
	if value.Kind() == reflect.Pointer {
		value = value.Elem()
	}
	if value.Kind() != reflect.Slice {
		return value.Interface()
	}
	switch list := value.Interface().(type) {
	case []types.ManagedObjectReference:
		return &types.ArrayOfManagedObjectReference{ManagedObjectReference: slices.Clone(list)}
	case []string:
		return &types.ArrayOfString{String: list}
	case []byte:
		return &types.ArrayOfByte{Byte: list}
	case types.ByteSlice:
		return &types.ArrayOfByte{Byte: list}
	case []int16:
		return &types.ArrayOfShort{Short: list}
	case []int32:
		return &types.ArrayOfInt{Int: list}
	case []int64:
		return &types.ArrayOfLong{Long: list}
	}
	name := strings.TrimPrefix(value.Type().Elem().Name(), "Base")
	kind, known := typeNamed("ArrayOf" + name)
	if !known {
		return nil
	}
	array := reflect.New(kind)
	array.Elem().FieldByName(name).Set(value)
	return array.Interface()
}

func referencesIn(value any) []ref {
	switch value := value.(type) {
	case ref:
		return []ref{value}
	case *types.ArrayOfManagedObjectReference:
		return value.ManagedObjectReference
	}
	return nil
}
